import Policy
import Primitives
import TestSupport

extension PolicySubject {
    /// A cent in USDT on Arbitrum, on a Sunday at midnight, changed as asked.
    static func sample(_ change: (inout PolicySubject) -> Void = { _ in }) -> PolicySubject {
        var subject = PolicySubject(
            request: GateRequest(
                agent: "scout", team: "crew", gateway: "lab", host: "api.example.com", method: "POST",
                path: "/v1/chat/completions", model: .known("vendor/light")),
            scheme: "exact", paymentMethod: "exact-eip3009", network: "eip155:42161", symbol: "USDT",
            asset: arbitrumUSDT, payee: seller, amount: UInt256(10_000), value: .cents(1), window: 300,
            payeeIsNew: false, priceRatio: .absent, time: .vectors)
        change(&subject)
        return subject
    }

    /// The sample at a time of day of a day in its week, counted from its Sunday.
    static func at(day: Int64 = 0, _ hour: Int64, _ minute: Int64) -> PolicySubject {
        sample { $0.time = Timestamp.vectors.adding(seconds: day * 86_400 + hour * 3600 + minute * 60) }
    }
}
