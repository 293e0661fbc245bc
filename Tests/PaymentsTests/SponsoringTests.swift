import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing
import Wallets
import X402

@testable import Payments

/// A chain on which an account has one allowance and two counts, as a test sets them.
final class Chain: AllowanceWitness {
    struct Standing {
        var allowance = UInt256.zero
        var permits: UInt256? = UInt256(7)
        var transactions: UInt64 = 3
        var fee = Transaction.Fee.dynamic(maximum: UInt256(3_000_000_000), priority: UInt256(1_000_000_000))
    }

    struct Silent: Error {}

    let standing: Mutex<Standing>

    init(_ standing: Standing = Standing()) { self.standing = Mutex(standing) }

    func allowance(
        owner: Address, token: Address, spender: Address, maximumAge: Int64
    ) async throws -> AllowanceReading {
        AllowanceReading(amount: standing.withLock { $0.allowance }, block: 1, readAt: .vectors)
    }

    func forget(owner: Address) async {}

    func permitNonce(owner: Address, token: Address) async throws -> UInt256 {
        guard let nonce = standing.withLock({ $0.permits }) else { throw Silent() }
        return nonce
    }

    func nextTransactionNumber(of account: Address) async throws -> UInt64 { standing.withLock { $0.transactions } }

    func fee() async throws -> Transaction.Fee { standing.withLock { $0.fee } }
}

@Suite("Approvals that the seller's facilitator pays for")
struct SponsoringTests {
    static let facilitator = "0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70"
    static let permits = #""eip2612GasSponsoring":{"info":{"description":"d","version":"1"},"schema":{}}"#
    private static let approvals = #""erc20ApprovalGasSponsoring":{"info":{"version":"1"}}"#

    /// A cent of a token by Permit2, with what the seller offers besides.
    static func challenge(
        network: String = "eip155:137", asset: String = "0xc2132D05D31c914a87C6611C10748AEb04B58e8F",
        scheme: String = "exact", amount: String = "10000", extensions: String = permits
    ) -> ChallengeSource {
        let document =
            #"{"x402Version":2,"accepts":[{"scheme":"\#(scheme)","network":"\#(network)","asset":"\#(asset)","#
            + #""amount":"\#(amount)","payTo":"\#(seller)","maxTimeoutSeconds":60,"extra":{"#
            + #""assetTransferMethod":"permit2","facilitatorAddress":"\#(facilitator)"}}],"#
            + #""extensions":{\#(extensions)}}"#
        return ChallengeSource(header: Array(document.utf8), body: nil)
    }

    /// BNB Chain's USDT, which has no permits.
    private static let plainToken = challenge(
        network: "eip155:56", asset: "0x55d398326f99059fF775485246999027B3197955", amount: "10000000000000000",
        extensions: permits + "," + approvals)

    private func desk(_ chain: Chain, approving: [String] = []) async throws -> Desk {
        try await Desk(
            rules: ["eip155:137/USDT", "eip155:56/USDT", "eip155:42161/USDT"],
            allowances: ["eip155:137": chain, "eip155:56": chain, "eip155:42161": chain], sponsoredApprovals: approving)
    }

    private func sent(_ payment: AuthorizedPayment) throws -> JSONValue {
        try JSONReader.read(#require(Base64.decodeLenient(payment.header.value.utf8)))
    }

    private func signer(_ digest: Bytes32, _ signature: String?) throws -> Address? {
        let bytes = try #require(signature.flatMap { Hex.decode($0) }.flatMap { Signature(bytes: $0) })
        return try Secp256k1Context(seed: .zero).recover(digest: digest, signature: bytes)
    }

    @Test(
        "a permit for exactly the payment goes with it, signed for the token's own domain",
        arguments: ["exact", "upto"])
    func permit(scheme: String) async throws {
        let desk = try await desk(Chain())
        let payment = try await desk.paid(Self.challenge(scheme: scheme))
        let info = try #require(try sent(payment)["extensions"]?["eip2612GasSponsoring"]?["info"])
        #expect(info["from"]?.string == desk.signer.address.checksummed)
        #expect(info["spender"]?.string == "0x000000000022D473030F116dDEE9F6B43aC78BA3")
        #expect(info["asset"]?.string == payment.terms.asset && info["amount"]?.string == "10000")
        #expect(info["nonce"]?.string == "7" && info["version"]?.string == "1" && info["description"]?.string == "d")
        let deadline = try sent(payment)["payload"]?["permit2Authorization"]?["deadline"]?.string
        #expect(info["deadline"]?.string == deadline && deadline == "\(payment.terms.validBefore - 1)")
        let address = try #require(Address(hex: payment.terms.asset))
        let token = try #require(try AssetTable.pinned().asset(network: "eip155:137", address: address))
        let permit = EIP2612Permit(
            owner: desk.signer.address, spender: Permit2.address, value: UInt256(10_000), nonce: UInt256(7),
            deadline: UInt64(payment.terms.validBefore - 1))
        let digest = permit.digest(domainSeparator: try #require(token.domainSeparator))
        #expect(try signer(digest, info["signature"]?.string) == desk.signer.address)
    }

    @Test("nothing signed is in the books, and the same attempt carries the same bytes")
    func books() async throws {
        let chain = Chain()
        let desk = try await desk(chain)
        let first = try await desk.paid(Self.challenge())
        let signature = try #require(
            try sent(first)["extensions"]?["eip2612GasSponsoring"]?["info"]?["signature"]?.string)
        let kept = try #require(try await desk.books.payment(first.id)?.echo?.extensions)
        let text = String(decoding: kept, as: UTF8.self)
        #expect(!text.contains(signature.dropFirst(2)) && text.contains(Signature.blank.hex))
        await desk.book(.silence(reason: "no answer in time"), of: first)
        desk.clock.advance(seconds: 10)
        // Whatever the chain says by now.
        chain.standing.withLock { $0 = Chain.Standing(allowance: .max, permits: UInt256(8)) }
        let second = try await desk.paid(Self.challenge())
        #expect(second.isAdopted && second.header == first.header)
    }

    @Test("a wallet that allows enough sends no permit")
    func enough() async throws {
        let desk = try await desk(Chain(Chain.Standing(allowance: UInt256(10_000))))
        let payment = try await desk.paid(Self.challenge())
        let info = try sent(payment)["extensions"]?["eip2612GasSponsoring"]?["info"]
        #expect(info?["signature"] == nil && info?["version"]?.string == "1")
        #expect(desk.signer.signatures == 1)
    }

    @Test(
        "without an offer that can be taken, a missing allowance is refused before anything is signed",
        arguments: [
            "", approvals, #""eip2612GasSponsoring":{"info":{"version":"2"}}"#,
            #""eip2612GasSponsoring":{"info":{"signature":"0x"}}"#, #""eip2612GasSponsoring":7"#,
        ])
    func refused(extensions: String) async throws {
        let desk = try await desk(Chain())
        let answer = await desk.answer(Self.challenge(extensions: extensions))
        #expect(answer.failure?.code == "allowance-missing" && desk.signer.signatures == 0)
    }

    @Test("a token without permits, and a count that cannot be read, leave the allowance missing")
    func unreadable() async throws {
        let chain = Chain(Chain.Standing(permits: nil))
        let desk = try await desk(chain)
        #expect(await desk.answer(Self.challenge()).failure?.code == "allowance-missing")
        #expect(await desk.answer(Self.plainToken).failure?.code == "allowance-missing")
        #expect(desk.signer.signatures == 0)
        // The turn is free again.
        chain.standing.withLock { $0.permits = UInt256(1) }
        _ = try await desk.paid(Self.challenge())
    }

    @Test("an approval without a limit is signed only for tokens that the operator has named")
    func approval() async throws {
        let desk = try await desk(Chain(), approving: ["eip155:56/USDT"])
        let payment = try await desk.paid(Self.plainToken)
        let info = try #require(try sent(payment)["extensions"]?["erc20ApprovalGasSponsoring"]?["info"])
        #expect(info["amount"]?.string == UInt256.max.description && info["asset"]?.string == payment.terms.asset)
        #expect(try sent(payment)["extensions"]?["eip2612GasSponsoring"]?["info"]?["signature"] == nil)
        let raw = try #require(info["signedTransaction"]?.string.flatMap { Hex.decode($0) })
        let token = try #require(Address(hex: payment.terms.asset))
        let expected = try #require(
            Transaction(
                chainID: 56, nonce: 3,
                fee: .dynamic(maximum: UInt256(3_000_000_000), priority: UInt256(1_000_000_000)), gasLimit: 70_000,
                to: token, value: .zero,
                data: ERC20.approve(spender: Permit2.address, amount: .max)))
        guard case .list(let fields) = try RLP(decoding: Array(raw.dropFirst())),
            let r = fields[10].word, let s = fields[11].word,
            let signature = Signature(
                r: r.bigEndianBytes, s: s.bigEndianBytes, v: 27 + (fields[9].word == UInt256(1) ? 1 : 0))
        else {
            Issue.record("no signed transaction")
            return
        }
        #expect(raw == expected.serialized(with: signature))
        #expect(try signer(expected.signingHash, signature.hex) == desk.signer.address)
        let kept = try #require(try await desk.books.payment(payment.id)?.echo?.extensions)
        #expect(!String(decoding: kept, as: UTF8.self).contains(Hex.encode(s.bigEndianBytes.bytes)))
    }

    @Test("an approval whose gas could cost more than a hundredth of a coin is not signed")
    func costly() async throws {
        let fee = Transaction.Fee.dynamic(maximum: UInt256(142_857_142_858), priority: .zero)
        let desk = try await desk(Chain(Chain.Standing(fee: fee)), approving: ["eip155:56/USDT"])
        #expect(await desk.answer(Self.plainToken).failure?.code == "allowance-missing")
        #expect(desk.signer.signatures == 0)
    }

    @Test("payments that carry a permit of one wallet pass one at a time, each with the next number")
    func turns() async throws {
        let chain = Chain()
        let desk = try await desk(chain)
        let first = try await desk.paid(Self.challenge())
        async let next = desk.paid(Self.challenge(), for: desk.request(number: 10))
        // Another token of the same account on another chain waits for nobody.
        _ = try await desk.paid(
            Self.challenge(
                network: "eip155:42161", asset: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"),
            for: desk.request(number: 11))
        #expect(try await desk.rows.count == 2)
        chain.standing.withLock { $0.permits = UInt256(8) }
        await desk.book(.response(status: 200, report: nil), of: first)
        let second = try await next
        #expect(try sent(second)["extensions"]?["eip2612GasSponsoring"]?["info"]?["nonce"]?.string == "8")
    }

    @Test("a payment that waited for its turn is decided by the policy that is in force then")
    func policyMeanwhile() async throws {
        let desk = try await desk(Chain())
        let first = try await desk.paid(Self.challenge())
        async let next = desk.answer(Self.challenge(), for: desk.request(number: 10))
        try await Task.sleep(for: .milliseconds(50))
        let policy = PolicySnapshot(rules: PolicyRules([], standard: .refuse), hash: .numbered(8))
        desk.engine.replace(policy: policy, gateways: .lab())
        let before = desk.signer.signatures
        await desk.book(.response(status: 200, report: nil), of: first)
        guard let failure = await next.failure else {
            Issue.record("it was decided by the policy that it came with")
            return
        }
        #expect(failure.code == "policy-refused" && desk.signer.signatures == before)
        // Its turn is free again.
        desk.engine.replace(policy: nil, gateways: .lab())
        _ = try await desk.paid(Self.challenge(), for: desk.request(number: 11))
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    @Test("the turn goes to the longest waiting, and one agent leaves places in the queue to others")
    func queue() async throws {
        let turns = ApprovalTurns(total: 8)
        let account = ApprovalTurns.Account(network: "eip155:137", payer: try payerKey.get().address)
        let first = try #require(await turns.take(account, for: "scout"))
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    let turn = try #require(await turns.take(account, for: "scout"))
                    order.numbers.withLock { $0.append(number) }
                    turns.end(turn)
                }
                while turns.waiting(for: account) <= number { await Task.yield() }
            }
            #expect(await turns.take(account, for: "scout") == nil)
            #expect(turns.snapshot.used == 6 && turns.snapshot.refused == 1)
            let payment = PaymentID(at: .vectors, random: .zero)
            turns.assign(first, to: payment)
            turns.end(payment)
            turns.end(payment)
            try await group.waitForAll()
        }
        #expect(order.numbers.withLock { $0 } == Array(0..<6))
        #expect(await turns.take(account, for: "scout") != nil)
    }

    /// A time that passes when a test says so.
    private final class Hourglass: Sendable {
        private let sleepers = Mutex<[(Duration, CheckedContinuation<Void, Never>)]>([])

        func sleep(_ duration: Duration) async {
            await withCheckedContinuation { sleeper in sleepers.withLock { $0.append((duration, sleeper)) } }
        }

        func pass(_ duration: Duration) {
            let passed = sleepers.withLock { sleepers in
                defer { sleepers.removeAll { $0.0 == duration } }
                return sleepers.filter { $0.0 == duration }
            }
            for (_, sleeper) in passed { sleeper.resume() }
        }

        func count(_ duration: Duration) -> Int { sleepers.withLock { $0.count { $0.0 == duration } } }
    }

    @Test(
        "a silent seller loses the turn after a while, agents take turns, and the end of its payment ends no other turn"
    )
    func deadline() async throws {
        let hourglass = Hourglass()
        let turns = ApprovalTurns(total: 8, sleep: { await hourglass.sleep($0) })
        let account = ApprovalTurns.Account(network: "eip155:137", payer: try payerKey.get().address)
        let passed = try #require(await turns.take(account, for: "hostile"))
        let silent = PaymentID(at: .vectors, random: .zero)
        turns.assign(passed, to: silent)
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            for (number, agent) in ["hostile", "hostile", "honest"].enumerated() {
                group.addTask {
                    if await turns.take(account, for: agent) != nil { order.numbers.withLock { $0.append(number) } }
                }
                while turns.waiting(for: account) <= number { await Task.yield() }
            }
            while hourglass.count(ApprovalTurns.turnLimit) < 1 { await Task.yield() }
            hourglass.pass(ApprovalTurns.turnLimit)
            while order.numbers.withLock({ $0.isEmpty }) { await Task.yield() }
            #expect(order.numbers.withLock { $0 } == [2])
            // What has passed on ends nobody else's.
            turns.end(silent)
            turns.end(passed)
            turns.assign(passed, to: silent)
            turns.end(silent)
            #expect(turns.waiting(for: account) == 2)
            // One that waits for too long is refused.
            while hourglass.count(ApprovalTurns.waitLimit) < 3 { await Task.yield() }
            hourglass.pass(ApprovalTurns.waitLimit)
            await group.waitForAll()
        }
        #expect(order.numbers.withLock { $0 } == [2] && turns.waiting(for: account) == 0)
        while hourglass.count(ApprovalTurns.turnLimit) < 1 { await Task.yield() }
        hourglass.pass(ApprovalTurns.turnLimit)
    }
}
