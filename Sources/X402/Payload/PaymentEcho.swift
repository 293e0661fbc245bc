import Primitives

/// What of a challenge goes back with a payment, as much of it as the header's line can carry.
///
/// The books hold these texts, so that the same payment always gives the same bytes.
package struct PaymentEcho: Sendable, Equatable {
    /// The chosen entry as received, or the members of it that sellers compare.
    package let accepted: [UInt8]
    /// The seller's `resource`; nil when there is none, or no room.
    package let resource: [UInt8]?
    /// The `extensions` object; nil when there is nothing to say.
    package let extensions: [UInt8]?

    /// The longest header line, from its name to its last character: servers take 8 KiB for a line, and some for all
    /// lines of a request.
    package static let maximumLineBytes = 6 * 1024

    /// Chooses what is echoed; nil when a payment of this entry cannot be delivered.
    ///
    /// While the line would be too long, extensions that require nothing go first, then `resource`. The entry is echoed
    /// whole, since reference servers compare it with their own; `trimsEntry` says that this seller is known to compare
    /// only what every seller has to. A payment of version 1 echoes nothing but scheme and network.
    /// `payloadBytes` is the length of the scheme's payload, which is asked only where the line may be too long.
    package init?(
        of challenge: Challenge, for entry: PaymentRequirement, payloadBytes: @autoclosure () -> Int,
        identifier: PaymentIdentifier?, answer: ExtensionAnswer? = nil, trimsEntry: Bool = false
    ) {
        let isShort = answer == nil && Self.isShort(challenge, for: entry)
        guard challenge.version == 2 else {
            guard isShort || Self.fits(entry, payloadBytes: payloadBytes()) else { return nil }
            (accepted, resource, extensions) = (entry.raw, nil, nil)
            return
        }
        guard !isShort else {
            accepted = entry.raw
            resource = challenge.resource
            extensions = ExtensionEcho.object(for: challenge.extensions, identifier: identifier, room: .max)
            return
        }
        let parts = Parts(
            extensions: challenge.extensions, payloadBytes: payloadBytes(), identifier: identifier, answer: answer)
        for accepted in trimsEntry ? [entry.raw, entry.trimmed] : [entry.raw] {
            // Without a resource there is nothing to try once more.
            for resource in challenge.resource == nil ? [nil] : [challenge.resource, nil] {
                guard let extensions = parts.extensions(beside: accepted, resource) else { continue }
                self.accepted = accepted
                self.resource = resource
                self.extensions = extensions.isEmpty ? nil : extensions
                return
            }
        }
        return nil
    }

    /// Whether some payment of an entry can be delivered, without an approval that would go with it.
    package static func fits(
        _ challenge: Challenge, for entry: PaymentRequirement, payloadBytes: @autoclosure () -> Int, trimsEntry: Bool
    ) -> Bool {
        if isShort(challenge, for: entry) { return true }
        return PaymentEcho(
            of: challenge, for: entry, payloadBytes: payloadBytes(), identifier: .placeholder, trimsEntry: trimsEntry)
            != nil
    }

    /// Whether a payment is far from the limit, whatever its scheme and its identifier add, as most are.
    private static func isShort(_ challenge: Challenge, for entry: PaymentRequirement) -> Bool {
        // What is written as a JSON string takes up to six bytes for each of its own.
        let echoed =
            challenge.version == 2
            ? challenge.extensions.reduce(entry.raw.count + (challenge.resource?.count ?? 0)) {
                $0 + 6 * $1.key.utf8.count + $1.raw.count + 8
            }
            : 6 * (entry.scheme.utf8.count + entry.network.utf8.count)
        return echoed + PaymentHeader.usualBytes <= PaymentHeader.jsonBytes(version: challenge.version)
    }

    /// Whether a payment of version 1 fits into its line.
    private static func fits(_ entry: PaymentRequirement, payloadBytes: Int) -> Bool {
        let envelope = PaymentHeader.envelopeBytes(scheme: entry.scheme, network: entry.network)
        return PaymentHeader.lineBytes(version: 1, envelope: envelope + payloadBytes) <= maximumLineBytes
    }

    /// What a header is made of, in addition to the entry and the resource.
    private struct Parts {
        let extensions: [Challenge.Extension]
        let payloadBytes: Int
        let identifier: PaymentIdentifier?
        let answer: ExtensionAnswer?

        /// The `extensions` object that fits beside an entry and a resource, empty for none; nil when not even the least of
        /// it does.
        func extensions(beside accepted: [UInt8], _ resource: [UInt8]?) -> [UInt8]? {
            let envelope = PaymentHeader.envelopeBytes(
                payloadBytes: payloadBytes, accepted: accepted, resource: resource)
            let room = PaymentHeader.jsonBytes(version: 2) - envelope
            guard room >= 0 else { return nil }
            let object = ExtensionEcho.object(
                for: extensions, identifier: identifier, answer: answer, room: room - PaymentHeader.extensionsBytes)
            guard let object else { return [] }
            let growth = answer?.growth ?? 0
            return object.count + growth + PaymentHeader.extensionsBytes <= room ? object : nil
        }
    }
}
