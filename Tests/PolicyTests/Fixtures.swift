import Ethereum
import Policy
import Primitives
import TestSupport
import X402

/// The address of the vectors' payer, key 0x01 × 32.
let payer = "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
/// The address of the vectors' seller.
let seller = "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"
let arbitrumUSDT = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
let baseUSDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

/// One entry of `accepts` as JSON text: a good one for USDT on Arbitrum, but for what is changed.
struct Entry {
    var members: [(key: String, json: String)] = [
        ("scheme", #""exact""#), ("network", #""eip155:42161""#), ("asset", #""\#(arbitrumUSDT)""#),
        ("amount", #""10000""#), ("payTo", #""\#(seller)""#), ("maxTimeoutSeconds", "300"),
    ]

    /// The entry with a member changed, added, or, with nil, taken out.
    func with(_ key: String, _ json: String?) -> Entry {
        var copy = self
        if let index = copy.members.firstIndex(where: { $0.key == key }) {
            if let json { copy.members[index].json = json } else { copy.members.remove(at: index) }
        } else if let json {
            copy.members.append((key, json))
        }
        return copy
    }

    /// The entry for another token.
    func token(_ network: String, _ address: String) -> Entry {
        with("network", #""\#(network)""#).with("asset", #""\#(address)""#)
    }

    var json: String { "{" + members.map { #""\#($0.key)":\#($0.json)"# }.joined(separator: ",") + "}" }
}

func challenge(_ entries: Entry...) throws -> Challenge {
    let document = #"{"x402Version":2,"accepts":["# + entries.map(\.json).joined(separator: ",") + "]}"
    return try Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))
}

/// A gate with everything that it looks at besides the challenge, at the vectors' time.
struct Doorway {
    var gate: Gate
    var context: Gate.Context

    /// The gate for a wallet with this pay list and the vectors' payer, who may pay any price.
    init(_ rules: [String] = ["eip155:42161/USDT"], table: AssetTable? = nil) throws {
        guard let address = Address(hex: payer) else { throw Vectors.Failure.missing("payer") }
        gate = Gate(table: try table ?? .pinned())
        var gateRules = GateRules()
        gateRules.maxPayment = .max
        context = Gate.Context(
            request: GateRequest(
                agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: "/v1",
                model: .known("light")),
            rules: gateRules, payer: address, payRules: rules.compactMap(PayRule.init),
            clock: GateClock(now: .vectors), nonce: .numbered(7))
    }

    func decide(_ challenge: Challenge) -> Gate.Decision { gate.decide(challenge, in: context) }

    /// What a challenge of these entries would pay.
    func paid(_ entries: Entry...) throws -> ClearedPayment {
        let document = #"{"x402Version":2,"accepts":["# + entries.map(\.json).joined(separator: ",") + "]}"
        switch decide(try Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))) {
        case .approve(let payment): return payment
        case .refuse(let refusal), .ask(let refusal): throw refusal.code
        }
    }

    /// Why a challenge is not paid; nil when it is.
    func refusal(_ challenge: Challenge) -> RefusalCode? {
        switch decide(challenge) {
        case .approve: nil
        case .refuse(let refusal), .ask(let refusal): refusal.code
        }
    }
}
