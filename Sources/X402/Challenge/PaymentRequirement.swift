package import Primitives

/// One entry of `accepts`, read leniently and kept whole.
///
/// The value is immutable from here to the signer: what is vetted is what is signed and what is echoed.
/// Source: x402 core specification, PaymentRequirements, versions 1 and 2.
package struct PaymentRequirement: Sendable, Equatable {
    /// The entry's JSON as received, for the echo.
    package let raw: [UInt8]
    /// The scheme, such as `exact` or `upto`.
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
    /// What the scheme and the seller add.
    package let extra: Extra

    /// The members of `extra`, of which each method reads its own.
    package struct Extra: Sendable, Equatable {
        /// Texts, and the text of numbers; what is there and is neither is an empty text, which no check lets pass.
        private var members: [String: String] = [:]
        private var numbers: Set<String> = []

        /// The most members that are read; an entry with more is not paid.
        static let maximumMembers = 64

        /// Makes an empty `extra`.
        package init() {}

        init(_ members: [JSONMember]) {
            for member in members where !member.value.isNull {
                if let number = member.value.numberText {
                    numbers.insert(member.key); self.members[member.key] = number
                } else {
                    self.members[member.key] = member.value.string ?? ""
                }
            }
        }

        /// A member that may be written as a text or as a number; nil when absent or `null`, empty when it is neither.
        package subscript(key: String) -> String? { members[key] }

        /// A member that must be a text; empty when it is anything else.
        private func text(_ key: String) -> String? { numbers.contains(key) ? "" : members[key] }

        /// The token's EIP-712 domain name, a claim to check.
        package var name: String? { text("name") }
        /// The token's EIP-712 domain version, a claim to check.
        package var version: String? { text("version") }
        /// The way the token moves, `eip3009` when absent.
        package var assetTransferMethod: String? { text("assetTransferMethod") }
        /// `authorization` when absent.
        package var paymentFlow: String? { text("paymentFlow") }
        /// Set by sellers whose signature is not for the token, such as Circle Gateway.
        package var verifyingContract: String? { text("verifyingContract") }
        /// The token's decimals, a claim to check.
        package var decimals: String? { self["decimals"] }
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
    /// Reads an entry that stands alone, as the books keep it; nil when it is none.
    package init?(received text: [UInt8]) {
        guard let entry = (try? JSONReader.read(text)).flatMap({ try? Self.read($0, in: text) }) else { return nil }
        self = entry
    }

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
        let members = source?.members ?? []
        guard members.count <= Extra.maximumMembers else { throw .missing("extra") }
        return Extra(members)
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
