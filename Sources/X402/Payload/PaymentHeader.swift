import Primitives

/// The request header that carries a payment, or a sign-in that makes one needless.
package struct PaymentHeader: Sendable, Equatable {
    /// `payment-signature` (version 2), `x-payment` (version 1) or `sign-in-with-x`, lower case.
    package let name: String
    /// The base64 value, one line.
    package let value: String

    /// Writes the header of version 2: the scheme's payload beside the seller's own entry, resource and extensions.
    ///
    /// Absent members are left out; nulls are never written. Source: x402 HTTP transport, PAYMENT-SIGNATURE.
    package static func version2(
        payload: [UInt8], accepted: [UInt8], resource: [UInt8]?, extensions: [UInt8]?
    ) -> PaymentHeader {
        let envelope = envelope(payload: payload, accepted: accepted, resource: resource, extensions: extensions)
        return PaymentHeader(name: name2, value: Base64.encode(envelope))
    }

    /// The bytes of JSON in a header of version 2 without extensions, for a payload of this many bytes.
    package static func envelopeBytes(payloadBytes: Int, accepted: [UInt8], resource: [UInt8]?) -> Int {
        envelope(payload: [], accepted: accepted, resource: resource, extensions: nil).count + payloadBytes
    }

    /// The bytes of JSON in a header of version 1, less those of the payload.
    static func envelopeBytes(scheme: String, network: String) -> Int {
        envelope1(payload: [], scheme: scheme, network: network).count
    }

    /// The bytes that name the extensions in an envelope: `,"extensions":`.
    static let extensionsBytes = 14
    /// More bytes than an envelope, a payload and an identifier have.
    static let usualBytes = 2048

    private static let name2 = "payment-signature"
    private static let name1 = "x-payment"

    /// The length of a header line, from its name to the end of its value, whose JSON has so many bytes.
    static func lineBytes(version: Int, envelope: Int) -> Int {
        (version == 1 ? name1 : name2).utf8.count + 2 + (envelope + 2) / 3 * 4
    }

    /// The most bytes of JSON in a line that is not too long.
    static func jsonBytes(version: Int) -> Int {
        (PaymentEcho.maximumLineBytes - lineBytes(version: version, envelope: 0)) / 4 * 3
    }

    private static func envelope(
        payload: [UInt8], accepted: [UInt8], resource: [UInt8]?, extensions: [UInt8]?
    ) -> [UInt8] {
        var text = JSONText()
        text.object { envelope in
            envelope.field("x402Version", 2)
            envelope.field("payload", raw: payload)
            envelope.field("accepted", raw: accepted)
            if let resource { envelope.field("resource", raw: resource) }
            if let extensions { envelope.field("extensions", raw: extensions) }
        }
        return text.bytes
    }

    /// Writes the header of version 1, whose envelope names scheme and network itself.
    ///
    /// Source: x402 version 1, X-PAYMENT.
    package static func version1(payload: [UInt8], scheme: String, network: String) -> PaymentHeader {
        PaymentHeader(
            name: name1, value: Base64.encode(envelope1(payload: payload, scheme: scheme, network: network)))
    }

    private static func envelope1(payload: [UInt8], scheme: String, network: String) -> [UInt8] {
        var text = JSONText()
        text.object { envelope in
            envelope.field("x402Version", 1)
            envelope.field("scheme", scheme)
            envelope.field("network", network)
            envelope.field("payload", raw: payload)
        }
        return text.bytes
    }

    /// Rebuilds the header from what the books hold: the same inputs give the same bytes.
    package static func rebuild(
        version: Int, payload: [UInt8], accepted: [UInt8], resource: [UInt8]?, extensions: [UInt8]?
    )
        -> PaymentHeader?
    {
        guard version == 1 else {
            return version2(payload: payload, accepted: accepted, resource: resource, extensions: extensions)
        }
        guard let entry = try? JSONReader.read(accepted, outline: PaymentRequirement.outline),
            let scheme = entry["scheme"]?.string,
            let network = entry["network"]?.string
        else { return nil }
        return version1(payload: payload, scheme: scheme, network: network)
    }
}
