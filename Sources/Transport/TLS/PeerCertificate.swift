import COpenSSL

/// What a certificate says of who holds its key; whoever verified it has seen to the rest.
package struct PeerCertificate: Sendable, Hashable {
    /// One of its subject alternative names (RFC 5280 section 4.2.1.6).
    package enum Name: Sendable, Hashable {
        /// A DNS name, in lower case.
        case dns(String)
        /// A URI, as it stands.
        case uri(String)
        /// A mailbox, as it stands.
        case email(String)
    }

    /// SHA-256 of its DER form, as 64 lower-case hexadecimal digits.
    package let fingerprint: String
    /// Its names in its own order; those that are not visible ASCII are left out, and so are other kinds.
    package let names: [Name]

    /// When it ends, or the first of the certificates that vouch for it, in seconds since the epoch.
    package let notAfter: Int64

    /// Names a certificate.
    package init(fingerprint: String, names: [Name] = [], notAfter: Int64 = .max) {
        self.fingerprint = fingerprint
        self.names = names
        self.notAfter = notAfter
    }

    /// Reads a certificate; `chain` is the one that was verified for it, itself included, where there is one.
    init(_ certificate: OpaquePointer, chain: OpaquePointer? = nil) {
        unsafe self.init(
            fingerprint: Self.fingerprint(certificate), names: Self.names(certificate),
            notAfter: Self.end(of: certificate, chain))
    }

    /// A verifier refuses a chain as soon as one certificate of it is over; one whose end cannot be read is over.
    private static func end(of certificate: OpaquePointer, _ chain: OpaquePointer?) -> Int64 {
        var end = unsafe Certificate.notAfter(of: certificate) ?? 0
        guard let chain = unsafe chain else { return end }
        for index in 0..<(unsafe OPENSSL_sk_num(chain)) {
            guard let member = unsafe OPENSSL_sk_value(chain, index) else { continue }
            end = min(end, unsafe Certificate.notAfter(of: OpaquePointer(member)) ?? 0)
        }
        return end
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> String {
        hexadecimal(unsafe Certificate.fingerprint(of: certificate))
    }

    /// A digest as lower-case hexadecimal digits.
    static func hexadecimal(_ digest: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func names(_ certificate: OpaquePointer) -> [Name] {
        guard let found = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let list = OpaquePointer(found)
        defer { unsafe GENERAL_NAMES_free(list) }
        var names: [Name] = []
        for index in 0..<(unsafe OPENSSL_sk_num(list)) {
            guard let entry = unsafe OPENSSL_sk_value(list, index) else { continue }
            var kind: Int32 = 0
            let value = unsafe GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &kind)
            guard kind == GEN_DNS || kind == GEN_URI || kind == GEN_EMAIL, let value = unsafe value,
                let text = unsafe text(value.assumingMemoryBound(to: ASN1_STRING.self))
            else { continue }
            switch kind {
            case GEN_DNS: names.append(.dns(text.lowercased()))
            case GEN_URI: names.append(.uri(text))
            default: names.append(.email(text))
            }
        }
        return names
    }

    /// A text of visible ASCII; nil for any other, so that no byte that ends a C string hides what is behind it.
    private static func text(_ string: UnsafeMutablePointer<ASN1_STRING>) -> String? {
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
        guard !bytes.isEmpty, unsafe bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}
