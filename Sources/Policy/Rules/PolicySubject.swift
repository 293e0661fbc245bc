package import Primitives

/// What a policy's rules look at: one payment that could be made, after the gateway's own checks.
package struct PolicySubject: Sendable, Equatable {
    /// The agent's request.
    package var request: GateRequest
    /// The payment scheme, such as `exact`.
    package var scheme: String
    /// The payment method within it, such as `exact-eip3009`.
    package var paymentMethod: String
    /// The CAIP-2 network, `eip155:42161`.
    package var network: String
    /// The token's symbol in the pinned table.
    package var symbol: String
    /// The token contract, EIP-55.
    package var asset: String
    /// Who is paid, EIP-55.
    package var payee: String
    /// The price in atomic units.
    package var amount: UInt256
    /// What it counts for in dollars, rounded up.
    package var value: Dollars
    /// How long the payment could be settled from now on, in seconds.
    package var window: Int64
    /// Whether the host was never paid at this address in this token.
    package var payeeIsNew: Bool
    /// The price over the highest one of the same agent, host, route and model so far, in hundredths rounded up; absent
    /// when there is none, unknown when the model is.
    package var priceRatio: Fact<Int64>
    /// When it is decided, UTC.
    package var time: Timestamp

    /// Makes a subject.
    package init(
        request: GateRequest, scheme: String, paymentMethod: String, network: String, symbol: String, asset: String,
        payee: String, amount: UInt256, value: Dollars, window: Int64, payeeIsNew: Bool, priceRatio: Fact<Int64>,
        time: Timestamp
    ) {
        self.request = request
        self.scheme = scheme
        self.paymentMethod = paymentMethod
        self.network = network
        self.symbol = symbol
        self.asset = asset
        self.payee = payee
        self.amount = amount
        self.value = value
        self.window = window
        self.payeeIsNew = payeeIsNew
        self.priceRatio = priceRatio
        self.time = time
    }

    /// A price over an earlier one for the same model in hundredths, rounded up; absent when nothing was paid before.
    package static func ratio(of price: Dollars, to before: Dollars?, model: Fact<String>) -> Fact<Int64> {
        guard !model.isUnknown else { return .unknown }
        guard let before, before > .zero else { return .absent }
        let hundredths = UInt128(price.nanodollars) * 100
        let divisor = UInt128(before.nanodollars)
        return .known(Int64(clamping: (hundredths + divisor - 1) / divisor))
    }
}
