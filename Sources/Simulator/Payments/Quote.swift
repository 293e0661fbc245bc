import Primitives

/// What the gateway asks for one call.
struct Quote: Sendable, Equatable {
    /// The protocol versions that a route speaks.
    enum Version: Int, Sendable {
        case one = 1
        case two = 2

        /// The request header that carries the payment.
        var paymentHeader: String { self == .one ? "X-PAYMENT" : "PAYMENT-SIGNATURE" }
        /// The response header that carries the settlement.
        var settlementHeader: String { self == .one ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE" }
    }

    /// The version of the route.
    let version: Version
    /// How the route is paid.
    let method: SaleMethod
    /// The URL of what is sold.
    let resource: String
    /// What is sold, for people.
    let description: String
    /// The ways to pay, best first.
    let offers: [Offer]

    /// The only extension offered: calls may carry an identifier of their own, so that a retry is recognised.
    static let identifierExtension = "payment-identifier"

    /// The decoded challenge: the value of PAYMENT-REQUIRED in version 2, the body in version 1.
    ///
    /// `error` is a reason code or a text for people.
    func challenge(error: String) -> [UInt8] {
        var text = JSONText()
        text.object { root in
            root.field("x402Version", Int64(version.rawValue))
            root.field("error", error)
            if version == .two {
                root.object("resource") { object in
                    object.field("url", resource)
                    object.field("description", description)
                    object.field("mimeType", "application/json")
                }
            }
            root.array("accepts") { accepts in
                for offer in offers {
                    accepts.raw(
                        version == .two
                            ? offer.entry : offer.entryVersion1(resource: resource, description: description))
                }
            }
            if version == .two {
                root.object("extensions") { $0.field(Self.identifierExtension, raw: Self.identifierEntry) }
            }
        }
        return text.bytes
    }

    /// The members of the identifier extension.
    static var identifierEntry: [UInt8] {
        var text = JSONText()
        text.object { entry in
            entry.object("info") { $0.field("required", false) }
            entry.object("schema") { schema in
                schema.field("type", "object")
                schema.object("properties") { properties in
                    properties.object("required") { $0.field("type", "boolean") }
                    properties.object("id") { id in
                        id.field("type", "string")
                        id.field("pattern", "^[a-zA-Z0-9_-]{16,128}$")
                    }
                }
            }
        }
        return text.bytes
    }
}
