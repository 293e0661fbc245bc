import Ethereum
import Policy
import Primitives
import X402

extension PolicyParser {
    /// The model that a test's request names; none where it says nothing.
    private mutating func model(_ section: ConfigurationSection) -> Fact<String> {
        guard flag(section, "model-unknown") ?? false else { return Fact(reader.text(section, "model")) }
        if section.has("model") {
            reader.note(section.place("model-unknown"), "a test has `model` or `model-unknown: true`, not both")
        }
        return .unknown
    }

    /// The keys of a test that describe its payment.
    static let subjectKeys = [
        "agent", "team", "gateway", "host", "method", "path", "model", "model-unknown", "scheme", "payment-method",
        "network", "asset", "payee", "price", "window", "new-payee", "price-ratio", "time",
    ]

    /// A test's payment: what it does not say is a cent in USDT on Arbitrum, on a Monday at noon.
    mutating func subject(_ section: ConfigurationSection) -> PolicySubject? {
        let count = reader.mistakes.count
        let network = reader.text(section, "network") ?? "eip155:42161"
        let named = reader.text(section, "asset") ?? "USDT"
        let token = PayRule("\(network)/\(named)").flatMap { rule in table.assets.first(where: rule.matches) }
        if token == nil {
            reader.note(section.place("asset"), "`\(named)` on \(network) is not in the table of tokens")
        }
        let payee = reader.converted(section, "payee", expected: Self.addressForm, Self.address)
        let price = dollars(section, "price") ?? Dollars(nanodollars: 10_000_000) ?? .zero
        let time = reader.converted(
            section, "time", expected: "a time such as `2026-11-23T12:00:00Z`", { Timestamp(rfc3339: $0) })
        let request = GateRequest(
            agent: reader.text(section, "agent") ?? "agent", team: reader.text(section, "team"),
            gateway: reader.text(section, "gateway") ?? "gateway",
            host: (reader.text(section, "host") ?? "api.example.com").lowercased(),
            method: reader.text(section, "method") ?? "POST", path: reader.text(section, "path") ?? "/",
            model: model(section))
        let scheme = reader.text(section, "scheme") ?? "exact"
        let method = reader.text(section, "payment-method") ?? "\(scheme)-\(scheme == "exact" ? "eip3009" : "permit2")"
        let window = seconds(section, "window") ?? 300
        let isNew = flag(section, "new-payee") ?? false
        let ratio = request.model.isUnknown ? .unknown : Fact(factor(section, "price-ratio"))
        if request.model.isUnknown, section.has("price-ratio") {
            reader.note(
                section.place("price-ratio"),
                "`model-unknown` takes no `price-ratio`: earlier prices are those of a model")
        }
        guard reader.mistakes.count == count, let token else { return nil }
        return PolicySubject(
            request: request, scheme: scheme, paymentMethod: method, network: token.network, symbol: token.symbol,
            asset: token.addressText, payee: payee ?? "0x000000000000000000000000000000000000dEaD",
            amount: TokenAmount.read(Substring(price.description), decimals: token.decimals)?.units ?? .zero,
            value: price, window: window, payeeIsNew: isNew,
            priceRatio: ratio, time: time ?? Timestamp(seconds: 1_795_435_200))
    }
}
