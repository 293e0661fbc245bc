package import Primitives

/// One entry of `accepts`, read leniently and kept whole.
///
/// The value is immutable from here to the signer: what is vetted is what is signed and what is echoed.
/// Source: x402 core specification, PaymentRequirements, versions 1 and 2.
package struct PaymentRequirement: Sendable, Equatable {
    /// The entry's JSON as received, for the echo.
    package let raw: [UInt8]
    /// The scheme, `exact`.
    package let scheme: String
    /// The network as spelled by the seller: CAIP-2, a version 1 name, or a vendor's own name.
    package let network: String
    /// The price in atomic units, from `amount` or `maxAmountRequired`; at least 1.
    package let amount: UInt256
    /// The token contract as spelled by the seller.
    package let asset: String
    /// The payee as spelled by the seller.
    package let payTo: String
    /// The window the seller allows, in seconds; nil when absent or unusable.
    package let maxTimeoutSeconds: Int64?
    /// What `extra` says that matters for `exact` on EVM.
    package let extra: Extra

    /// The members of `extra` that decide whether and how an entry can be paid.
    package struct Extra: Sendable, Equatable {
        /// The token's EIP-712 domain name, a claim to check.
        package var name: String?
        /// The token's EIP-712 domain version, a claim to check.
        package var version: String?
        /// `eip3009` when absent.
        package var assetTransferMethod: String?
        /// `authorization` when absent.
        package var paymentFlow: String?
        /// Set by sellers whose signature is not for the token, such as Circle Gateway.
        package var verifyingContract: String?

        /// Makes an empty `extra`.
        package init() {}
    }
}

/// Why one entry of `accepts` cannot be used at all; the others are still read.
package enum RequirementProblem: Error, Sendable, Equatable {
    /// The entry is not an object.
    case notAnObject
    /// A required member is absent or has the wrong type.
    case missing(String)
    /// The amount is not a positive integer of atomic units that fits 256 bits.
    case badAmount
}

extension PaymentRequirement {
    /// Reads one entry out of a document.
    ///
    /// The fields decide the form, not the declared version: `amount` is version 2, `maxAmountRequired` version 1.
    package static func read(_ entry: JSONValue, in document: [UInt8]) throws(RequirementProblem) -> PaymentRequirement
    {
        guard entry.members != nil else { throw .notAnObject }
        func text(_ key: String) throws(RequirementProblem) -> String {
            guard let value = entry[key]?.string, !value.isEmpty else { throw .missing(key) }
            return value
        }
        guard let price = entry.present("amount") ?? entry.present("maxAmountRequired") else {
            throw .missing("amount")
        }
        return PaymentRequirement(
            raw: entry.textWithoutNulls(in: document),
            scheme: try text("scheme"),
            network: try text("network"),
            amount: try amount(price),
            asset: try text("asset"),
            payTo: try text("payTo"),
            maxTimeoutSeconds: entry["maxTimeoutSeconds"]?.integer.flatMap { $0 > 0 ? $0 : nil },
            extra: try extra(entry.present("extra")))
    }

    /// Numbers are accepted below 2^53, where every JSON reader agrees on them.
    private static func amount(_ value: JSONValue) throws(RequirementProblem) -> UInt256 {
        let text: String
        if let string = value.string {
            text = string
        } else if let integer = value.integer, integer < 1 << 53 {
            text = String(integer)
        } else {
            throw .badAmount
        }
        guard let amount = try? UInt256(decimal: text), !amount.isZero else { throw .badAmount }
        return amount
    }

    /// Old version 1 servers send `extra` as a JSON string; it is parsed once.
    private static func extra(_ value: JSONValue?) throws(RequirementProblem) -> Extra {
        var source = value
        if let text = value?.string, !text.isEmpty {
            source = try? JSONReader.read(Array(text.utf8))
            guard source?.members != nil else { throw .missing("extra") }
        }
        // What is there but no text is as good as an unknown text: an empty one, which no check lets pass.
        func text(_ key: String) -> String? { source?.present(key).map { $0.string ?? "" } }
        var extra = Extra()
        extra.name = text("name")
        extra.version = text("version")
        extra.assetTransferMethod = text("assetTransferMethod")
        extra.paymentFlow = text("paymentFlow")
        extra.verifyingContract = text("verifyingContract")
        return extra
    }
}

extension JSONValue {
    /// The value's text as received, less members that are `null`.
    ///
    /// Sellers treat null as absent, strict facilitators reject it; everything else is echoed byte for byte.
    package func textWithoutNulls(in document: [UInt8]) -> [UInt8] {
        guard containsNullMember else { return Array(document[range]) }
        switch kind {
        case .object(let members):
            var text = JSONText()
            text.object { object in
                for member in members where !member.value.isNull {
                    object.field(member.key, raw: member.value.textWithoutNulls(in: document))
                }
            }
            return text.bytes
        case .array(let elements):
            var text = JSONText()
            text.array { array in
                for element in elements { array.raw(element.textWithoutNulls(in: document)) }
            }
            return text.bytes
        default:
            return Array(document[range])
        }
    }

    /// The member with this key unless it is `null`, which sellers treat as absent.
    fileprivate func present(_ key: String) -> JSONValue? {
        self[key].flatMap { $0.isNull ? nil : $0 }
    }

    private var containsNullMember: Bool {
        switch kind {
        case .object(let members): members.contains { $0.value.isNull || $0.value.containsNullMember }
        case .array(let elements): elements.contains { $0.containsNullMember }
        default: false
        }
    }
}
