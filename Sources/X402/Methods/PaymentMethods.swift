/// The methods that can be paid by; the first that claims an entry has it.
package struct PaymentMethods: Sendable {
    /// All methods.
    package let all: [any PaymentMethod]

    /// Makes a set; names are unique.
    package init(_ all: [any PaymentMethod]) {
        self.all = all
    }

    /// Every method that Purser knows; vendors' variants stand before the standard that they vary.
    package static let standard = PaymentMethods([
        ExactEIP3009(), GatePermit2(), BinancePermit2(), ExactPermit2(), UptoPermit2(),
    ])

    /// The method that an entry asks for.
    package func method(for entry: PaymentRequirement) -> (any PaymentMethod)? {
        all.first { $0.scheme == entry.scheme && $0.claims(entry) }
    }

    /// The method of that name.
    package func method(named name: String) -> (any PaymentMethod)? {
        all.first { $0.name == name }
    }

    /// Whether some method pays by that scheme, whatever else an entry asks for.
    package func knows(scheme: String) -> Bool {
        all.contains { $0.scheme == scheme }
    }
}
