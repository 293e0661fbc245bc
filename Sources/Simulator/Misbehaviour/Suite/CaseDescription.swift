import CSpecs
package import Ethereum
package import Primitives

/// What a correct payer makes of a misbehaving merchant.
///
/// Raw values are the words of Specs/misbehaviours.json.
package enum ExpectedOutcome: String, Sendable, CaseIterable {
    /// Exactly one authorization leaves, for the stated terms.
    case paid
    /// No authorization leaves.
    case refused
    /// Exactly one authorization leaves, nobody knows what became of it, and it stays counted: never a second nonce.
    case paidOnceThenKept = "paid-once-then-kept"
    /// The answer is no challenge: it reaches the caller as it came, and no authorization leaves.
    case passedThrough = "passed-through"

    /// Whether an authorization leaves.
    package var isSigned: Bool { self == .paid || self == .paidOnceThenKept }
}

/// What an authorization has to be for.
package struct StatedTerms: Sendable, Equatable {
    /// The CAIP-2 network.
    package var network: String
    /// The token.
    package var asset: Address
    /// The payee.
    package var payTo: Address
    /// Atomic units.
    package var amount: UInt256
}

/// One case of Specs/misbehaviours.json, as far as the merchant judges by it.
package struct CaseDescription: Sendable, Equatable {
    /// The case's name.
    package let name: String
    /// What it has in common with others.
    package let group: String
    /// What the merchant does, in a sentence.
    package let does: String
    /// What a correct payer makes of it.
    package let expected: ExpectedOutcome
    /// What a careful payer may make of it just as well.
    package let alternatives: [ExpectedOutcome]
    /// The method of the request.
    package let method: String
    /// How many requests the payer's caller makes, one after the other.
    package let requests: Int
    /// What an authorization has to be for.
    package let terms: StatedTerms
    /// How far ahead of the merchant's clock an authorization may end, in seconds.
    package let windowEndsWithin: Int64
    /// Whether a payment has to carry a payment identifier.
    package let needsIdentifier: Bool
    /// How many different authorizations leave where any do.
    package let authorizations: Int
    /// Whether a statement of who the payer is may leave.
    package let maySignIn: Bool
}

/// Why the description of the suite could not be read; the text says where.
package struct SuiteError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong and where.
    package let description: String
}

extension CaseDescription {
    /// The cases that are compiled in from Specs/misbehaviours.json, in its order.
    package static func suite() throws(SuiteError) -> [CaseDescription] {
        let text = unsafe [UInt8](
            UnsafeBufferPointer(start: purser_misbehaviours_json, count: purser_misbehaviours_json_count))
        return try suite(json: text)
    }

    /// Reads a suite in the form of Specs/misbehaviours.schema.json.
    package static func suite(json: [UInt8]) throws(SuiteError) -> [CaseDescription] {
        let root: JSONValue
        do {
            root = try JSONReader.read(json)
        } catch {
            throw SuiteError(description: "the suite is not JSON: \(error)")
        }
        guard let usual = root["terms"].flatMap({ StatedTerms($0, else: nil) }),
            let window = root["windowEndsWithin"]?.integer
        else { throw SuiteError(description: "the suite has no terms or no windowEndsWithin") }
        var cases: [CaseDescription] = []
        for entry in root["cases"]?.elements ?? [] {
            guard let described = CaseDescription(entry, usual: usual, window: window) else {
                throw SuiteError(description: "case \(cases.count), \(entry["name"]?.string ?? "?"), is incomplete")
            }
            cases.append(described)
        }
        return cases
    }

    private init?(_ entry: JSONValue, usual: StatedTerms, window: Int64) {
        let alternatives = (entry["alternatives"]?.elements ?? []).map {
            $0.string.flatMap(ExpectedOutcome.init(rawValue:))
        }
        guard let name = entry["name"]?.string, let group = entry["group"]?.string,
            let does = entry["does"]?.string,
            let expected = entry["expected"]?.string.flatMap(ExpectedOutcome.init(rawValue:)),
            !alternatives.contains(nil), let terms = StatedTerms(entry["terms"], else: usual)
        else { return nil }
        self.init(
            name: name, group: group, does: does, expected: expected, alternatives: alternatives.compactMap { $0 },
            method: entry["method"]?.string ?? "GET", requests: Int(entry["requests"]?.integer ?? 1), terms: terms,
            windowEndsWithin: entry["windowEndsWithin"]?.integer ?? window,
            needsIdentifier: entry["identifier"]?.bool ?? false,
            authorizations: Int(entry["authorizations"]?.integer ?? 1), maySignIn: entry["signIn"]?.bool ?? false)
    }
}

extension StatedTerms {
    /// Reads the members that are there, and takes the others from `usual`; nil when one is nowhere or malformed.
    fileprivate init?(_ value: JSONValue?, else usual: StatedTerms?) {
        func member<Value>(_ key: String, _ read: (String) -> Value?, _ usual: Value?) -> Value? {
            guard let text = value?[key]?.string else { return usual }
            return read(text)
        }
        guard let network = member("network", { $0 }, usual?.network),
            let asset = member("asset", { Address(hex: $0) }, usual?.asset),
            let payTo = member("payTo", { Address(hex: $0) }, usual?.payTo),
            let amount = member("amount", { try? UInt256(decimal: $0) }, usual?.amount)
        else { return nil }
        self.init(network: network, asset: asset, payTo: payTo, amount: amount)
    }
}
