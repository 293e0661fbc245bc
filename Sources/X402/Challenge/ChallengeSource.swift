/// The parts of a 402 answer that may hold a challenge.
package struct ChallengeSource: Sendable, Equatable {
    /// A field that carries challenges, with its values, each once and in their order.
    package struct Field: Sendable, Equatable {
        /// The field's name as a person knows it.
        package let name: String
        /// What stands in it.
        package let values: [[UInt8]]

        /// Makes a field.
        package init(name: String, values: [[UInt8]]) {
            self.name = name
            self.values = values
        }
    }

    /// What is known of the body, without its codings.
    package enum Body: Sendable, Equatable {
        /// There is none, or nobody has to know it.
        case none
        /// All of it.
        case whole([UInt8])
        /// How it begins, and why no more of it is known.
        case beginning([UInt8], reason: String)
        /// It may hold a challenge, and cannot be read; the text says why.
        case unreadable(reason: String)
    }

    /// PAYMENT-REQUIRED and its alias X-PAYMENT-REQUIRED, in this order, where they are there.
    package var fields: [Field]
    /// The body.
    package var body: Body

    /// Makes a source.
    package init(fields: [Field], body: Body) {
        self.fields = fields
        self.body = body
    }

    /// Makes a source of at most one header and a body that is known as a whole, or of which there is none.
    package init(header: [UInt8]?, body: [UInt8]?) {
        self.init(
            fields: header.map { [Field(name: "PAYMENT-REQUIRED", values: [$0])] } ?? [],
            body: body.map(Body.whole) ?? .none)
    }
}
