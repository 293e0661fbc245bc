extension PaymentIntent.Terms {
    /// The payment method; the only one that rows are written with so far.
    package var method: String { "exact-eip3009" }
}
