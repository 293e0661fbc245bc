import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Rejections as a value")
struct RejectionTests {
    private static func route(_ name: String) -> RejectedRoute { RejectedRoute(asset: "n/a", name: name) }

    private static func rejection(_ name: String, at second: Int64 = 0) -> Rejection {
        Rejection(route: route(name), at: .vectors.adding(seconds: second))
    }

    @Test("probes wait a minute, then twice as long each time, up to a quarter of an hour")
    func probes() {
        var probes = ProbeSchedule(beginningAt: .vectors)
        var waits: [Int64] = []
        var now = Timestamp.vectors
        for _ in 0..<7 {
            #expect(!probes.isDue(at: probes.next.adding(seconds: -1)) && probes.isDue(at: probes.next))
            waits.append(probes.next.seconds - now.seconds)
            now = probes.next
            probes.probed(at: now)
            probes.rejected(at: now)
        }
        #expect(waits == [60, 120, 240, 480, 900, 900, 900])
    }

    @Test("of several pauses that hold, the one that ends last is told")
    func longest() {
        var gateway = GatewayRejections()
        for second: Int64 in 0..<3 { gateway.rejected(Self.rejection("GET /1", at: second), of: "ada") }
        for path in ["GET /2", "GET /3"] { gateway.rejected(Self.rejection(path, at: 30), of: "ada") }
        let now = Timestamp.vectors.adding(seconds: 40)
        #expect(gateway.pause(of: "ada", on: Self.route("GET /1"), after: 3, at: now)?.scope == .agent(.routes))
        for _ in 0..<3 { gateway.rejected(Self.rejection("GET /2", at: 35), of: "ada") }
        gateway.reserved(by: "ada", on: Self.route("GET /2"), after: 3, at: now)
        guard case .route = gateway.pause(of: "ada", on: Self.route("GET /2"), after: 5, at: now)?.scope else {
            // Four rejections: the route is not paused after five.
            #expect(gateway.pause(of: "ada", on: Self.route("GET /2"), after: 5, at: now)?.scope == .agent(.routes))
            return
        }
        Issue.record("a route is paused before its limit")
    }

    @Test("a payment of an agent that is not paused never costs a route or a search")
    func clear() {
        var gateway = GatewayRejections()
        gateway.rejected(Self.rejection("GET /1"), of: "ada")
        #expect(gateway.isClear(for: "bob") && !gateway.isClear(for: "ada"))
        #expect(!gateway.isChanged(byAcceptanceOf: "bob", on: Self.route("GET /1")))
        #expect(gateway.isChanged(byAcceptanceOf: "ada", on: Self.route("GET /9")))
        gateway.accepted(by: "ada", on: Self.route("GET /9"), at: .vectors)
        #expect(!gateway.isChanged(byAcceptanceOf: "ada", on: Self.route("GET /9")))
        gateway.accepted(by: "ada", on: Self.route("GET /1"), at: .vectors)
        #expect(gateway.isEmpty)
    }

    @Test("an accepted payment is written where it changes whom a pause has seen accepted, and not once more")
    func acceptedSince() {
        var gateway = GatewayRejections()
        for path in ["GET /1", "GET /2", "GET /3"] { gateway.rejected(Self.rejection(path), of: "ada") }
        for (agent, isNew) in [("bob", true), ("bob", false), ("cyd", true), ("dan", false)] {
            #expect(gateway.isChanged(byAcceptanceOf: agent, on: Self.route("GET /9")) == isNew, "\(agent)")
            let before = gateway
            gateway.accepted(by: agent, on: Self.route("GET /9"), at: .vectors)
            #expect((gateway != before) == isNew, "\(agent)")
        }
        #expect(gateway.agents["ada"]?.stop?.accepted == .several)
    }

    @Test("a paused route that is forgotten for want of room pauses the agent in its place")
    func forgotten() {
        var gateway = GatewayRejections()
        for number in 0..<AgentRejections.maximumRoutes {
            for _ in 0..<3 {
                gateway.rejected(Self.rejection("GET /\(number)"), of: "ada")
                gateway.accepted(by: "ada", on: Self.route("GET /good"), at: .vectors)
            }
        }
        #expect(gateway.agents["ada"]?.stop == nil)
        gateway.rejected(Self.rejection("GET /new"), of: "ada")
        #expect(gateway.agents["ada"]?.stop?.cause == .routes)
        #expect(gateway.agents["ada"]?.routes.count == AgentRejections.maximumRoutes)
        #expect(gateway.agents["ada"]?.routes[Self.route("GET /new")] != nil)
    }

    @Test("long paths are told apart within the length of a name")
    func longPaths() {
        func name(_ path: String) -> RejectedRoute {
            RejectedRoute(
                asset: "n/a",
                request: PaymentIntent.Request(
                    method: "GET", url: "https://x.example" + path, model: .absent, fingerprint: .zero))
        }
        let long = "/" + String(repeating: "é", count: 400)
        #expect(name(long + "1") != name(long + "2") && name(long + "1") == name(long + "1"))
        #expect(name(long).name.utf8.count <= RejectedRoute.maximumLength)
        #expect(name("/short").name == "GET /short")
    }

    static let unfunded = [
        "insufficient_funds", "INSUFFICIENT_FUNDS", "invalid_exact_evm_insufficient_balance",
        "permit2_insufficient_balance", "insufficient balance", "Insufficient funds in payer wallet",
        "InsufficientBalance", "exact: insufficient-funds", "balance is insufficient",
        "execution reverted: ERC20: transfer amount exceeds balance", "insufficient USDT balance",
    ]

    static let others = [
        "", "nonce_already_used", "permit2_allowance_required", "insufficient_allowance", "balance",
        "insufficient funds for gas * price + value", "erc20_approval_insufficient_eth_for_gas", "invalid_signature",
        "insufficient_payment", "funds",
    ]

    @Test("an empty wallet is named in many spellings", arguments: unfunded)
    func saysUnfunded(reason: String) { #expect(RejectionReason.saysUnfunded(reason)) }

    @Test("reject- reasons that say nothing of the wallet's balance", arguments: others)
    func saysOther(reason: String) {
        #expect(!RejectionReason.saysUnfunded(reason))
        #expect(!RejectionReason.saysUnfunded(nil))
    }
}
