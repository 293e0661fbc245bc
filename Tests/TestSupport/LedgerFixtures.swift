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

extension Agent {
    /// An agent whose token hash is the numbered one.
    package static func sample(_ name: String = "scout", number: UInt64 = 1, caps: [Cap] = []) -> Agent {
        Agent(name: name, wallet: nil, tokenHash: .numbered(number), caps: caps, addedAt: .vectors)
    }
}

extension PaymentIntent {
    /// A payment in USDT on Arbitrum whose identifier, nonce and fingerprint follow from its number.
    ///
    /// `amount` is in atomic units of 6 decimals and by default worth `value`.
    package static func sample(
        _ number: UInt64, agent: String = "scout", value: Dollars = .cents(1), amount: UInt256? = nil,
        nonce: UInt64? = nil, payer: String = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
        validFor seconds: Int64 = 300
    ) -> PaymentIntent {
        PaymentIntent(
            id: PaymentID(random: .numbered(number)),
            purpose: Purpose(
                agent: agent, gateway: "lab", method: "POST", url: "http://127.0.0.1:8402/v1/chat/completions",
                fingerprint: .numbered(number &+ 1)),
            terms: Terms(
                scheme: "exact", network: "eip155:42161", asset: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
                symbol: "USDT", decimals: 6, wallet: "main", payer: payer,
                payTo: "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
                amount: amount ?? UInt256(UInt64(value.nanodollars) / 1000), value: value,
                nonce: .numbered(nonce ?? number), validAfter: Timestamp.vectors.seconds - 600,
                validBefore: Timestamp.vectors.seconds + seconds),
            echo: Echo(
                version: 2, accepted: Array(#"{"scheme":"exact","network":"eip155:42161","amount":"10000"}"#.utf8),
                resource: Array(#"{"url":"http://127.0.0.1:8402/v1/chat/completions"}"#.utf8), extensions: nil))
    }
}
