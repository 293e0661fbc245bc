package import Ledger
package import Primitives

extension Bytes32 {
    /// 32 bytes that count up with a number.
    package static func numbered(_ number: UInt64) -> Bytes32 {
        Bytes32(words: (number, 0, 0, number))
    }
}

extension Dollars {
    /// Whole cents.
    package static func cents(_ cents: Int64) -> Dollars {
        Dollars(nanodollars: cents * 10_000_000) ?? .zero
    }
}

extension Timestamp {
    /// 2026-11-22T00:00:00Z, the vectors' time and the first moment of a UTC day.
    package static let vectors = Timestamp(seconds: 1_795_305_600)
}

/// An agent with caps of its own.
package struct SampleAgent: Sendable {
    /// The agent; its token hash is the numbered one.
    package let agent: Agent
    /// Its caps.
    package let limits: [CapLimit]

    /// Makes an agent.
    package static func sample(
        _ name: String = "scout", number: UInt64 = 1, team: String? = nil, caps: [CapLimit] = []
    ) -> SampleAgent {
        SampleAgent(
            agent: Agent(name: name, wallet: nil, team: team, tokenHash: .numbered(number), addedAt: .vectors),
            limits: caps)
    }
}

extension LedgerStore {
    /// Adds an agent with its caps.
    package func add(_ sample: SampleAgent) async throws(LedgerError) {
        try await add(sample.agent, limits: sample.limits, by: "tester")
    }

    /// Sets a cap of an agent as a whole.
    package func setCap(_ limit: CapLimit, of agent: String) async throws(LedgerError) {
        try await setCap(Cap(agent: agent, limit), by: "tester", at: .vectors)
    }

    /// Removes a cap of an agent as a whole.
    @discardableResult
    package func removeCap(_ window: CapWindow, of agent: String) async throws(LedgerError) -> Bool {
        try await removeCap(Cap.Key(CapScope(.agent(agent)), window), by: "tester", at: .vectors)
    }

    /// Sets money aside without a key and by the usual rules.
    @discardableResult
    package func reserve(
        _ intent: PaymentIntent, at now: Timestamp
    ) async throws(LedgerError) -> ReservationOutcome {
        try await reserve(ReservationRequest(intent), at: now)
    }

    /// The use of an agent's own dollar cap of one window.
    package func used(
        _ window: CapWindow, of agent: String = "scout", at now: Timestamp = .vectors
    ) async throws(LedgerError) -> Dollars? {
        let key = Cap.Key(CapScope(.agent(agent)), window)
        return try await usage(of: agent, at: now).first { $0.cap.key == key }.flatMap { Dollars(quantity: $0.used) }
    }
}

extension ReservationOutcome {
    /// The payment, when money was set aside for it.
    package var record: PaymentRecord? {
        guard case .reserved(let reservation) = self else { return nil }
        return reservation.record
    }

    /// The payment that was taken over.
    package var adopted: PaymentRecord? {
        guard case .adopted(let reservation) = self else { return nil }
        return reservation.record
    }

    /// The refusal, when nothing was set aside.
    package var refusal: ReservationRefusal? {
        switch self {
        case .refused(let refusal), .counted(let refusal): refusal
        case .reserved, .adopted: nil
        }
    }
}

extension PaymentIntent {
    /// A payment in USDT on Arbitrum whose identifier, nonce and fingerprint follow from its number.
    ///
    /// `amount` is in atomic units of 6 decimals and by default worth `value`.
    package static func sample(
        _ number: UInt64, agent: String = "scout", team: String? = nil, gateway: String = "lab",
        value: Dollars = .cents(1), amount: UInt256? = nil, nonce: UInt64? = nil,
        payer: String = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        payTo: String = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", fingerprint: UInt64? = nil,
        validFor seconds: Int64 = 300, scheme: String = "exact", policy: Bytes32? = nil,
        model: Fact<String> = .known("light"), path: String = "/v1/chat/completions",
        asset: String = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
    ) -> PaymentIntent {
        PaymentIntent(
            id: PaymentID(at: .vectors, random: Bytes32(words: (number, number, 0, 0))),
            purpose: Purpose(
                agent: agent, team: team, gateway: gateway, host: "127.0.0.1",
                request: Request(
                    method: "POST", url: "http://127.0.0.1:8402\(path)", model: model,
                    fingerprint: .numbered(fingerprint ?? number &+ 1)), policy: policy),
            terms: Terms(
                scheme: scheme, method: scheme == "exact" ? "exact-eip3009" : "\(scheme)-permit2",
                network: "eip155:42161",
                asset: asset,
                symbol: "USDT", decimals: 6, wallet: "main", payer: payer,
                payTo: payTo,
                amount: amount ?? UInt256(UInt64(value.nanodollars) / 1000), value: value,
                nonce: .numbered(nonce ?? number), validAfter: Timestamp.vectors.seconds - 600,
                validBefore: Timestamp.vectors.seconds + seconds),
            echo: Echo(
                version: 2, accepted: Array(#"{"scheme":"exact","network":"eip155:42161","amount":"10000"}"#.utf8),
                resource: Array(#"{"url":"http://127.0.0.1:8402/v1/chat/completions"}"#.utf8), extensions: nil,
                offer: scheme == "exact" ? nil : Array(#"{"format":"jws"}"#.utf8)),
            salt: .numbered(number &+ 2))
    }
}
