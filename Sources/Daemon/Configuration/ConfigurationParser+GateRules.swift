import Ethereum
import NIOCore
import Payments
import Policy
import Primitives
import X402

extension ConfigurationParser {
    /// The keys of a gateway that say what the gate may approve.
    static let gateKeys = [
        "max-validity", "max-payment", "payees", "new-payee", "price-rise", "higher-price", "profiles", "spenders",
        "trim-entry", "trust-partial", "sign-in", "sign-ins", "signers",
    ]

    /// What a gateway's entry lets the gate approve.
    mutating func gateRules(_ section: ConfigurationSection) -> GateRules {
        var rules = GateRules()
        let validity = reader.converted(
            section, "max-validity", expected: "a duration from 10s to 1h in whole seconds such as `30s` or `10m`"
        ) { text in
            Quantities.duration(text).flatMap { duration -> Int64? in
                let seconds = duration.nanoseconds / 1_000_000_000
                return (10...3600).contains(seconds) && duration == .seconds(seconds) ? seconds : nil
            }
        }
        rules.maxValidity = validity ?? rules.maxValidity
        let most = reader.converted(
            section, "max-payment", expected: "an amount of dollars above zero such as `1.00`"
        ) { text in Dollars(text).flatMap { $0 > .zero ? $0 : nil } }
        rules.maxPayment = most ?? rules.maxPayment
        rules.payees = addresses(section, "payees")
        rules.newPayee = choice(section, "new-payee") ?? rules.newPayee
        rules.higherPrice = choice(section, "higher-price") ?? rules.higherPrice
        let factor = reader.converted(
            section, "price-rise", expected: "a whole factor from 1x to 1000000x such as `10x`"
        ) {
            text in
            Int64(text.dropLast()).flatMap { (1...1_000_000).contains($0) && text == "\($0)x" ? $0 : nil }
        }
        rules.priceRise = factor ?? rules.priceRise
        rules.trimsEntry = flag(section, "trim-entry") ?? rules.trimsEntry
        rules.spenders = addresses(section, "spenders")
        let words = VendorProfile.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or ")
        for element in reader.elements(section, "profiles") {
            guard let text = reader.text(element) else { continue }
            guard let profile = VendorProfile(rawValue: text) else {
                reader.note(element.place, "`\(text)` is not \(words)")
                continue
            }
            rules.profiles.insert(profile)
        }
        if !rules.spenders.isEmpty, rules.profiles.isEmpty {
            reader.note(
                section.place("spenders"), "spenders are named by sellers of a profile only, and `profiles` has none")
        }
        return rules
    }

    /// Who may sign a gateway's offers and receipts besides the payee: addresses, DIDs, and DIDs with a copy of the document
    /// in which their keys stand.
    mutating func signers(
        _ section: ConfigurationSection, documents: inout [Configuration.SignerDocument]
    ) -> PinnedSigners {
        var signers = PinnedSigners()
        for element in reader.elements(section, "signers") {
            if reader.isMapping(element) {
                guard let document = signerDocument(element) else { continue }
                guard !documents.contains(where: { $0.identifier == document.identifier }) else {
                    reader.note(element.place, "`\(document.identifier)` has a document already")
                    continue
                }
                signers.identifiers.insert(document.identifier)
                documents.append(document)
                continue
            }
            guard let text = reader.text(element) else { continue }
            if text.hasPrefix("did:") {
                guard PinnedSigners.isIdentifier(text) else {
                    reader.note(element.place, "`\(text)` is no did:key, did:jwk or did:web without a fragment")
                    continue
                }
                signers.identifiers.insert(text)
            } else if let address = address(text, at: element.place) {
                signers.addresses.insert(address)
            }
        }
        return signers
    }

    private mutating func signerDocument(_ value: ConfigurationValue) -> Configuration.SignerDocument? {
        guard let section = reader.section(value, keys: ["did", "document", "sha256"]) else { return nil }
        let identifier = reader.requiredText(section, "did")
        let file = reader.requiredText(section, "document")
        let digest = reader.converted(section, "sha256", expected: "64 hex digits") { text in
            text.utf8.count == 64 ? Hex.decode("0x" + text).flatMap { Bytes32($0) } : nil
        }
        guard let identifier, let file else { return nil }
        guard PinnedSigners.needsDocument(identifier) else {
            reader.note(
                section.place("did"), "`\(identifier)` is no did:web without a fragment; others need no document")
            return nil
        }
        return Configuration.SignerDocument(identifier: identifier, file: file, digest: digest)
    }

    /// A list of addresses, each with a right checksum or without one.
    mutating func addresses(_ section: ConfigurationSection, _ key: String) -> Set<Address> {
        var addresses: Set<Address> = []
        for element in reader.elements(section, key) {
            guard let text = reader.text(element) else { continue }
            guard let address = address(text, at: element.place) else { continue }
            guard address != .zero else {
                reader.note(element.place, "`\(text)` is not 0x and 40 hex digits, or is zero")
                continue
            }
            addresses.insert(address)
        }
        return addresses
    }
}
