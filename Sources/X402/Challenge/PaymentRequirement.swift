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
}

/// Why one entry of `accepts` cannot be used at all; the others are still read.
package enum RequirementProblem: Error, Sendable, Equatable {
    /// The entry is not an object.
    case notAnObject
    /// A member that is read stands there twice, or is a text that programs read differently.
    case ambiguous(JSONReader.Failure)
    /// A required member is absent or has the wrong type.
    case missing(String)
    /// The amount is not a positive integer of atomic units that fits 256 bits.
    case badAmount

    /// The problem in words, as part of a sentence about an entry.
    var sentence: String {
        switch self {
        case .notAnObject: "it is not an object"
        case .ambiguous(.duplicateKey(let key)): "\"\(key)\" occurs twice in it"
        case .ambiguous(let failure): "it does not have one reading: \(failure)"
        case .missing(let key): "\"\(key)\" is missing or of another type"
        case .badAmount: "its amount is not a positive integer of atomic units"
        }
    }
}

extension PaymentRequirement {
    /// Reads an entry that stands alone, as the books keep it; nil when it is none.
    package init?(received text: [UInt8]) {
        guard let value = try? JSONReader.read(text, outline: Self.outline), let entry = try? Self.read(value, in: text)
        else { return nil }
        self = entry
    }

    /// The members that are read; two of one key would have two readings.
    static let outline = JSONOutline.members([
        ("scheme", .scalar), ("network", .scalar), ("amount", .scalar), ("maxAmountRequired", .scalar),
        ("asset", .scalar), ("payTo", .scalar), ("maxTimeoutSeconds", .scalar), ("extra", Extra.outline),
    ])

    /// The entry with the members that sellers compare with their own, and no others.
    ///
    /// Source: x402 SDKs, findMatchingRequirements.
    package var trimmed: [UInt8] {
        let members = Self.comparedMembers.map { (key: $0, outline: JSONOutline.text) }
        guard let entry = try? JSONReader.read(raw, outline: .members(members)) else { return raw }
        var text = JSONText()
        text.object { object in
            for member in entry.members ?? [] { object.field(member.key, raw: raw[member.value.range]) }
        }
        return text.bytes
    }

    private static let comparedMembers = [
        "scheme", "network", "amount", "maxAmountRequired", "asset", "payTo", "maxTimeoutSeconds", "extra",
    ]

    /// Reads one entry out of a document.
    ///
    /// The fields decide the form, not the declared version: `amount` is version 2, `maxAmountRequired` version 1.
    package static func read(_ entry: JSONValue, in document: [UInt8]) throws(RequirementProblem) -> PaymentRequirement
    {
        if case .unreadable(let failure) = entry.kind { throw .ambiguous(failure) }
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
            source = try? JSONReader.read(Array(text.utf8), outline: Extra.outline)
            guard source?.members != nil else { throw .missing("extra") }
        }
        return Extra(source?.members ?? [])
    }
}

extension JSONValue {
    /// The member with this key unless it is `null`, which sellers treat as absent.
    fileprivate func present(_ key: String) -> JSONValue? {
        self[key].flatMap { $0.isNull ? nil : $0 }
    }
}
