import Ethereum
import Policy
import Primitives
import X402

/// From the bytes of a challenge to what would be signed: what is approved is what the seller's own text says.
package enum GateInvariants {
    private static let now: Int64 = 1_795_305_600
    private static let payer = Address(lastBytesOf: Bytes32(words: (0, 0x1a64_2f0e, 0x3c3a_f545_e7ac_bd38, 7)))
    private static let spender = Address(lastBytesOf: Bytes32(words: (0, 0x4020_0000, 0x1111, 0x2222)))
    private static let gate = Result { Gate(table: try AssetTable.pinned()) }

    /// What gateways may be configured to: nothing, and everything, with a seller's clock that differs.
    private static let contexts: [Gate.Context] = [context(isOpen: false), context(isOpen: true)]

    private static func context(isOpen: Bool) -> Gate.Context {
        var rules = GateRules()
        if isOpen {
            rules.profiles = Set(VendorProfile.allCases)
            rules.spenders = [spender]
            rules.maxPayment = .max
        }
        return Gate.Context(
            request: GateRequest(
                agent: "a", team: nil, gateway: "g", host: "h", method: "POST", path: "/", model: .absent),
            rules: rules, payer: payer, payRules: payRules,
            clock: GateClock(
                now: Timestamp(seconds: now), seller: isOpen ? Timestamp(seconds: now + 200) : nil),
            nonce: Bytes32(words: (1, 2, 3, 4)))
    }

    private static var payRules: [PayRule] {
        ((try? AssetTable.pinned())?.assets ?? []).compactMap { PayRule("\($0.network)/\($0.addressText)") }
    }

    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        guard let challenge = try? Challenge.read(ChallengeSource(header: input, body: nil)) else { return }
        guard let gate = try? gate.get() else { throw BrokenInvariant("the pinned table can be read") }
        for context in contexts {
            switch gate.decide(challenge, in: context) {
            case .approve(let payment):
                try check(payment, of: challenge, in: context)
                try again(payment, by: gate)
                guard case .approve(let second) = gate.decide(challenge, in: context) else {
                    throw BrokenInvariant("the gate decides the same twice")
                }
                try hold(second.signable == payment.signable, "the same challenge signs the same")
            case .refuse(let refusal):
                try hold(refusal.code != .approval, "what a person may approve is asked")
            case .ask:
                throw BrokenInvariant("rules that ask for nobody ask nobody")
            }
        }
    }

    /// The names of all methods.
    package static var methods: Set<String> { Set(PaymentMethods.standard.all.map(\.name)) }

    /// The names of the methods by which an input is paid, under any of the configurations.
    package static func methodsPaying(_ input: [UInt8]) -> Set<String> {
        guard let challenge = try? Challenge.read(ChallengeSource(header: input, body: nil)),
            let gate = try? gate.get()
        else { return [] }
        var names: Set<String> = []
        for context in contexts {
            if case .approve(let payment) = gate.decide(challenge, in: context) { names.insert(payment.method) }
        }
        return names
    }

    private static func check(
        _ payment: ClearedPayment, of challenge: Challenge, in context: Gate.Context
    ) throws(BrokenInvariant) {
        let order = payment.order
        try hold(challenge.requirements.contains(payment.entry), "what is paid is an entry of the challenge")
        guard let entry = try? JSONReader.read(payment.entry.raw) else { throw BrokenInvariant("the echo is JSON") }
        try hold(
            ChallengeInvariants.amountText(of: entry) == order.amount.description, "the amount is that of the echo")
        try hold(lower(entry["payTo"]) == Hex.prefixed(order.payTo.bytes), "the payee is that of the echo")
        try hold(lower(entry["asset"]) == Hex.prefixed(order.token.address.bytes), "the token is that of the echo")
        if let network = entry["network"]?.string, network.hasPrefix("eip155:") {
            try hold(network == "eip155:\(order.token.chainID)", "the chain is that of the echo")
        }
        try hold(order.payer == context.payer, "the wallet pays")
        try hold(![.zero, order.payer, order.token.address].contains(order.payTo), "the payee is somebody else")
        try hold(payment.value > .zero && payment.value <= context.rules.maxPayment, "the value is within the rules")
        try hold(order.validBefore >= now + Gate.minimumValidity, "the window is long enough")
        try hold(
            order.validBefore <= now + context.rules.maxValidity + GateClock.reach, "the window is short enough")
        try hold(order.validAfter < now + GateClock.reach, "the window has begun")
        let isDictated = order.extra[.deadline] != nil
        if !isDictated, let seconds = payment.entry.maxTimeoutSeconds, context.clock.seller == nil {
            try hold(order.validBefore <= now + seconds, "the window is the seller's at most")
        }
        let payload = payment.payload(signature: .blank)
        try hold(payload.count == payment.payloadBytes, "the payload's length is known")
        guard let written = try? JSONReader.read(payload) else { throw BrokenInvariant("a payload is JSON") }
        let digest = try SecondDigest.of(written, order: order, scheme: payment.entry.scheme)
        try hold(digest == payment.signable.digest, "what is signed is what is sent")
        try header(payment, payload, of: challenge)
    }

    /// The books make the same bytes again.
    private static func again(_ payment: ClearedPayment, by gate: Gate) throws(BrokenInvariant) {
        guard let second = gate.again(payment.order, by: payment.method, for: payment.entry, value: payment.value)
        else {
            throw BrokenInvariant("what was cleared can be made again")
        }
        try hold(second.signable == payment.signable && second.method == payment.method, "made again, it is the same")
        try hold(
            second.payload(signature: .blank) == payment.payload(signature: .blank), "made again, it says the same")
    }

    private static func header(
        _ payment: ClearedPayment, _ payload: [UInt8], of challenge: Challenge
    ) throws(BrokenInvariant) {
        let header = PaymentHeader.rebuild(
            version: challenge.version, payload: payload, accepted: payment.entry.raw, resource: challenge.resource,
            extensions: nil)
        guard let header, let text = Base64.decodeLenient(header.value.utf8), let sent = try? JSONReader.read(text)
        else { throw BrokenInvariant("a header can be read") }
        try hold(sent["payload"].map { Array(text[$0.range]) } == payload, "the header carries the payload")
        if challenge.version == 2 {
            try hold(
                sent["accepted"].map { Array(text[$0.range]) } == payment.entry.raw, "the header echoes the entry")
        } else {
            try hold(sent["scheme"]?.string == payment.entry.scheme, "the header names the scheme")
        }
    }

    private static func lower(_ value: JSONValue?) -> String? { value?.string?.lowercased() }
}
