package import Ethereum
package import Primitives
package import SystemCrypto

extension KeystoreV3 {
    /// Decrypts the key and checks it against the address that the file states.
    ///
    /// It blocks its thread for as long as the derivation takes, about a second at the standard cost.
    package func open(passphrase: SecretBytes, context: Secp256k1Context) throws(KeystoreError) -> SigningKey {
        let derived = try Self.derive(derivation, passphrase: passphrase)
        let found = Self.mac(derived: derived, ciphertext: ciphertext)
        guard constantTimeEquals(found.bytes, mac.bytes) else { throw .wrongPassphrase }
        let key: SigningKey
        do {
            let secret = try AES128CTR.decrypt(ciphertext, key: derived, iv: iv)
            key = try SigningKey(secret: secret, context: context)
        } catch let error as CipherError {
            throw KeystoreError(error)
        } catch {
            throw .invalidKey
        }
        if let address, address != key.address { throw .addressMismatch(stated: address, found: key.address) }
        return key
    }

    /// Encrypts a key, then reads and opens the text that would be written, so that no unreadable keystore is ever kept.
    ///
    /// It blocks its thread for two derivations. `random` gives salt, counter block and identifier.
    package init(
        sealing key: SigningKey, passphrase: SecretBytes, cost: ScryptCost = .standard,
        random: any RandomSource, context: Secp256k1Context
    ) throws(KeystoreError) {
        let salt: [UInt8]
        let iv: [UInt8]
        let id: String
        do {
            salt = try random.bytes32().bytes
            iv = Array(try random.bytes32().bytes.prefix(16))
            id = Self.uuid(try random.bytes32())
        } catch {
            throw .memory(.randomnessUnavailable)
        }
        let derivation = Derivation.scrypt(cost, salt: salt)
        let derived = try Self.derive(derivation, passphrase: passphrase)
        let ciphertext: [UInt8]
        do {
            ciphertext = try AES128CTR.encrypt(key.secret, key: derived, iv: iv)
        } catch {
            throw KeystoreError(error)
        }
        let sealed = KeystoreV3(
            address: key.address, id: id, derivation: derivation, iv: iv, ciphertext: ciphertext,
            mac: Self.mac(derived: derived, ciphertext: ciphertext))
        let readBack = try KeystoreV3(parsing: sealed.text)
        guard readBack == sealed else { throw .failed }
        _ = try readBack.open(passphrase: passphrase, context: context)
        self = sealed
    }

    private static func derive(
        _ derivation: Derivation, passphrase: SecretBytes
    ) throws(KeystoreError) -> SecretBytes {
        do {
            switch derivation {
            case .scrypt(let cost, let salt):
                return try KeyDerivation.scrypt(passphrase: passphrase, salt: salt, cost: cost)
            case .pbkdf2(let iterations, let salt):
                return try KeyDerivation.pbkdf2SHA256(passphrase: passphrase, salt: salt, iterations: iterations)
            }
        } catch {
            throw KeystoreError(error)
        }
    }

    private static func mac(derived: SecretBytes, ciphertext: [UInt8]) -> Bytes32 {
        var hasher = Keccak256()
        derived.withBytes { hasher.absorb($0.extracting(16..<32)) }
        hasher.absorb(ciphertext)
        return hasher.finish()
    }

    /// A version 4 UUID (RFC 9562).
    private static func uuid(_ random: Bytes32) -> String {
        var bytes = Array(random.bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { Hex.encode(bytes[$0]) }.joined(separator: "-")
    }
}

extension KeystoreError {
    fileprivate init(_ error: CipherError) {
        switch error {
        case .memory(let error): self = .memory(error)
        case .invalidParameter: self = .damaged(field: "kdfparams")
        case .failed: self = .failed
        }
    }
}
