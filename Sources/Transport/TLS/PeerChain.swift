import COpenSSL

/// The certificates that a peer sends, and what verifying them may cost.
///
/// libcrypto verifies RSA keys of up to 16,384 bits, any curve, and chains of a hundred. Keys of certificates that are in
/// the trust store already are the operator's choice and not limited.
enum PeerChain {
    /// The most certificates that a peer may send, its own included.
    static let maximumCertificates = 10
    /// The longest RSA modulus and public exponent, in bits; Go's crypto/tls has the same limit for the modulus.
    static let maximumRSABits: Int32 = 8192
    static let maximumExponentBits: Int32 = 64
    private static let curves: Set<String> = ["prime256v1", "secp384r1", "secp521r1"]

    /// Verifies the chain in an `X509_STORE_CTX`, after a look at its keys; 1 when it is good.
    static func verify(_ store: OpaquePointer?) -> Int32 {
        guard let store = unsafe store else { return 0 }
        if let fault = unsafe fault(of: X509_STORE_CTX_get0_untrusted(store)) {
            unsafe X509_STORE_CTX_set_error(store, fault)
            return 0
        }
        return max(0, unsafe X509_verify_cert(store))
    }

    /// The `X509_V_ERR_…` of a chain that is not looked at any further; nil where there is none.
    static func fault(of chain: OpaquePointer?) -> Int32? {
        guard let chain = unsafe chain else { return nil }
        let count = unsafe OPENSSL_sk_num(chain)
        guard count <= maximumCertificates else { return X509_V_ERR_CERT_CHAIN_TOO_LONG }
        for index in 0..<count {
            guard let member = unsafe OPENSSL_sk_value(chain, index), unsafe hasModestKey(OpaquePointer(member)) else {
                ERR_clear_error()
                // The one code that libcrypto leaves to applications.
                return X509_V_ERR_APPLICATION_VERIFICATION
            }
        }
        return nil
    }

    private static func hasModestKey(_ certificate: OpaquePointer) -> Bool {
        guard let key = unsafe X509_get0_pubkey(certificate) else { return false }
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519: return true
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS:
            guard unsafe EVP_PKEY_get_bits(key) <= maximumRSABits else { return false }
            var exponent: OpaquePointer?
            guard unsafe EVP_PKEY_get_bn_param(key, "e", &exponent) == 1 else { return false }
            defer { unsafe BN_free(exponent) }
            return unsafe BN_num_bits(exponent) <= maximumExponentBits
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: 32)
            var length = 0
            guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return false }
            return curves.contains(
                String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self))
        default: return false
        }
    }
}
