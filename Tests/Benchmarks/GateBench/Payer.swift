import Ethereum
import Policy
import Primitives
import SystemCrypto
import Wallets
import X402

/// One challenge in the form in which it arrives, with what its payment must turn out to be.
struct Sample {
    /// What it is called in the report.
    let name: String
    /// The header's value.
    let header: [UInt8]
    /// The payment method that the gate must choose.
    let method: String
}

/// Whoever pays the samples: the gate, a key and everything that a decision is made from.
struct Payer {
    private let gate: Gate
    private let key: SigningKey
    private var context: Gate.Context

    /// The vectors' payer, whose key is 0x01 × 32, with a pay list of every pinned token.
    init() throws {
        let table = try AssetTable.pinned()
        gate = Gate(table: table)
        var secret = [UInt8](repeating: 1, count: 32)
        key = try SigningKey(
            secret: .copyAndWipe(&secret), context: Secp256k1Context(seed: Bytes32(words: (1, 2, 3, 4))))
        var rules = GateRules()
        rules.maxPayment = .max
        context = Gate.Context(
            request: GateRequest(
                agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: "/v1", model: .absent),
            rules: rules, payer: key.address,
            payRules: table.assets.compactMap { PayRule("\($0.network)/\($0.addressText)") },
            clock: GateClock(now: Timestamp(seconds: 1_795_305_600)), nonce: .zero)
    }

    /// Pays a sample once, under a nonce of its own; returns the CPU of each step and the bytes of the header.
    mutating func pay(_ sample: Sample, nonce: UInt64) throws -> (steps: Steps, headerBytes: Int) {
        context.nonce = Bytes32(words: (nonce, 2, 3, 4))
        let start = CPU.nanoseconds
        let challenge = try Challenge.read(ChallengeSource(header: sample.header, body: nil))
        let parsed = CPU.nanoseconds
        let decision = gate.decide(challenge, in: context)
        let decided = CPU.nanoseconds
        guard case .approve(let payment) = decision else {
            throw BenchError("\(sample.name) is not paid: \(decision)")
        }
        let signature = try key.sign(payment.signable)
        let signed = CPU.nanoseconds
        let header = PaymentHeader.rebuild(
            version: challenge.version, payload: payment.payload(signature: signature), accepted: payment.entry.raw,
            resource: challenge.resource, extensions: nil)
        let written = CPU.nanoseconds
        guard payment.method == sample.method, let header else {
            throw BenchError("\(sample.name) is paid by \(payment.method)")
        }
        let steps = Steps(
            parse: parsed - start, decide: decided - parsed, sign: signed - decided, write: written - signed)
        return (steps, header.value.utf8.count)
    }
}

/// The CPU of the steps of one payment, in nanoseconds.
struct Steps {
    let parse: Int64
    let decide: Int64
    let sign: Int64
    let write: Int64

    /// All steps.
    var total: Int64 { parse + decide + sign + write }
}
