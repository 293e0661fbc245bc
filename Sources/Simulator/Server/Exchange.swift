import Primitives

/// A request as the gateway's logic sees it, free of any HTTP library.
struct GatewayRequest: Sendable {
    /// The method, upper case.
    var method: String
    /// The target's path without the query.
    var path: String
    /// Scheme and authority under which the gateway listens, for the resource it names.
    var origin: String
    /// All values of PAYMENT-SIGNATURE (version 2).
    var paymentSignatures: [String] = []
    /// All values of X-PAYMENT (version 1).
    var payments: [String] = []
    /// The body.
    var body: [UInt8] = []
}

/// What the gateway answers.
struct GatewayReply: Sendable, Equatable {
    /// The body, at once or piece by piece.
    enum Body: Sendable, Equatable {
        /// One JSON document.
        case document([UInt8])
        /// Server-sent events; the first goes with the head, each of the others after a pause.
        case events([[UInt8]])
    }

    /// The status code.
    var status: Int
    /// Fields besides those of the framing and the body's type.
    var fields: [(name: String, value: String)] = []
    /// The body.
    var body: Body

    static func == (left: GatewayReply, right: GatewayReply) -> Bool {
        left.status == right.status && left.body == right.body
            && left.fields.elementsEqual(right.fields, by: ==)
    }

    /// A reply of one document.
    static func document(_ status: Int, _ text: [UInt8]) -> GatewayReply {
        GatewayReply(status: status, body: .document(text))
    }

    /// An error in the form of OpenAI's API.
    static func failure(_ status: Int, code: String, _ message: String) -> GatewayReply {
        var text = JSONText()
        text.object { root in
            root.object("error") { error in
                error.field("message", message)
                error.field("type", "invalid_request_error")
                error.field("code", code)
            }
        }
        return .document(status, text.bytes)
    }

    /// The first value of a field, whatever its case.
    func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
