package import Ethereum
internal import Primitives
package import SystemCrypto

/// An encrypted private key as version 3 of Web3 Secret Storage writes it, the form of go-ethereum and eth-account.
package struct KeystoreV3: Sendable, Equatable {
    /// How the passphrase becomes the key that decrypts.
    package enum Derivation: Sendable, Equatable {
        case scrypt(ScryptCost, salt: [UInt8])
        /// PBKDF2 with HMAC-SHA256.
        case pbkdf2(iterations: Int, salt: [UInt8])
    }

    /// What the file says about its address: unproven until the keystore was opened, and allowed to be absent.
    package let address: Address?
    /// A random identifier without a meaning here.
    package let id: String?
    /// How the passphrase becomes a key.
    package let derivation: Derivation
    /// The first counter block of AES-128-CTR, 16 bytes.
    let iv: [UInt8]
    /// The encrypted private key, 32 bytes.
    let ciphertext: [UInt8]
    /// Keccak-256 over the second half of the derived key and the ciphertext.
    let mac: Bytes32

    /// Larger files are no keystores.
    package static let maximumBytes = 65_536

    init(address: Address?, id: String?, derivation: Derivation, iv: [UInt8], ciphertext: [UInt8], mac: Bytes32) {
        self.address = address
        self.id = id
        self.derivation = derivation
        self.iv = iv
        self.ciphertext = ciphertext
        self.mac = mac
    }
}

extension KeystoreV3 {
    /// Reads a keystore file; every field is checked before a passphrase is asked for.
    package init(parsing bytes: [UInt8]) throws(KeystoreError) {
        guard bytes.count <= Self.maximumBytes, let document = try? JSONReader.read(bytes), document.members != nil
        else {
            throw .notAKeystore
        }
        // Ethereum wallets for the web write `Crypto`; both at once would have two readings.
        let sections = document.members?.filter { $0.key.lowercased() == "crypto" } ?? []
        guard let section = sections.first?.value, let version = document["version"] else { throw .notAKeystore }
        guard version.integer == 3 else { throw .unsupported("its version is not 3") }
        guard sections.count == 1, section.members != nil else { throw .damaged(field: "crypto") }

        guard section["cipher"]?.string == "aes-128-ctr" else {
            throw section["cipher"]?.string.map { .unsupported("cipher \($0.prefix(32))") } ?? .damaged(field: "cipher")
        }
        var address: Address?
        if let stated = document["address"], !stated.isNull {
            let text = stated.string ?? ""
            address = Address(hex: text.hasPrefix("0x") ? text : "0x" + text)
            guard address != nil else { throw .damaged(field: "address") }
        }
        let parameters = section["cipherparams"]
        let mac = try Self.hex(section["mac"], "mac", counts: 32...32)
        self.init(
            address: address, id: document["id"]?.string, derivation: try Self.derivation(section),
            iv: try Self.counter(parameters?["iv"], isProvable: address != nil),
            ciphertext: try Self.hex(section["ciphertext"], "ciphertext", counts: 32...32),
            mac: Bytes32(mac) ?? .zero)
    }

    private static func derivation(_ section: JSONValue) throws(KeystoreError) -> Derivation {
        guard let name = section["kdf"]?.string else { throw .damaged(field: "kdf") }
        guard let parameters = section["kdfparams"], parameters.members != nil else {
            throw .damaged(field: "kdfparams")
        }
        let isScrypt = name == "scrypt"
        guard isScrypt || name == "pbkdf2" else { throw .unsupported("key derivation \(name.prefix(32))") }
        guard let length = parameters["dklen"]?.integer else { throw .damaged(field: "kdfparams.dklen") }
        guard length == 32 else { throw .unsupported("a derived key of \(length) bytes") }
        let salt = try hex(parameters["salt"], "kdfparams.salt", counts: 8...128)
        return isScrypt ? .scrypt(try scryptCost(parameters), salt: salt) : try pbkdf2(parameters, salt: salt)
    }

    private static func scryptCost(_ parameters: JSONValue) throws(KeystoreError) -> ScryptCost {
        let numbers = ["n", "r", "p"].map { parameters[$0]?.integer.flatMap { UInt64(exactly: $0) } }
        guard let n = numbers[0], let r = numbers[1], let p = numbers[2] else { throw .damaged(field: "kdfparams") }
        guard let cost = ScryptCost(n: n, r: r, p: p) else {
            throw .unsupported("scrypt with n = \(n), r = \(r), p = \(p)")
        }
        return cost
    }

    private static func pbkdf2(_ parameters: JSONValue, salt: [UInt8]) throws(KeystoreError) -> Derivation {
        guard let function = parameters["prf"]?.string else { throw .damaged(field: "kdfparams.prf") }
        guard function == "hmac-sha256" else { throw .unsupported("PBKDF2 with \(function.prefix(32))") }
        guard let iterations = parameters["c"]?.integer, iterations > 0 else { throw .damaged(field: "kdfparams.c") }
        guard iterations <= Int64(KeyDerivation.maximumIterations) else {
            throw .unsupported("PBKDF2 with \(iterations) rounds")
        }
        return .pbkdf2(iterations: Int(iterations), salt: salt)
    }

    /// The counter block; eth-account writes it as a number, without leading zero bytes, and where the address is stated a
    /// block that was cut off in another way gives another one.
    private static func counter(_ value: JSONValue?, isProvable: Bool) throws(KeystoreError) -> [UInt8] {
        let bytes = try hex(value, "cipherparams.iv", counts: isProvable ? 12...16 : 16...16)
        return [UInt8](repeating: 0, count: 16 - bytes.count) + bytes
    }

    private static func hex(
        _ value: JSONValue?, _ field: String, counts: ClosedRange<Int>
    ) throws(KeystoreError) -> [UInt8] {
        guard let bytes = value?.string.flatMap({ Hex.decode($0) }), counts.contains(bytes.count) else {
            throw .damaged(field: field)
        }
        return bytes
    }
}

extension KeystoreV3 {
    /// The same keystore with the address that it was seen to open, so that it opens no other one unnoticed.
    package func stating(_ address: Address) -> KeystoreV3 {
        KeystoreV3(
            address: address, id: id, derivation: derivation, iv: iv, ciphertext: ciphertext, mac: mac)
    }

    /// The file's text: JSON with the members in the order of the definition, one newline at the end.
    package var text: [UInt8] {
        var text = JSONText()
        text.object { document in
            document.field("version", 3)
            document.field("id", optional: id)
            document.field("address", optional: address.map { Hex.encode($0.bytes) })
            document.object("crypto") { section in
                section.field("cipher", "aes-128-ctr")
                section.object("cipherparams") { $0.field("iv", Hex.encode(iv)) }
                section.field("ciphertext", Hex.encode(ciphertext))
                switch derivation {
                case .scrypt(let cost, let salt):
                    section.field("kdf", "scrypt")
                    section.object("kdfparams") { parameters in
                        parameters.field("dklen", 32)
                        parameters.field("n", Int64(cost.n))
                        parameters.field("r", Int64(cost.r))
                        parameters.field("p", Int64(cost.p))
                        parameters.field("salt", Hex.encode(salt))
                    }
                case .pbkdf2(let iterations, let salt):
                    section.field("kdf", "pbkdf2")
                    section.object("kdfparams") { parameters in
                        parameters.field("dklen", 32)
                        parameters.field("c", Int64(iterations))
                        parameters.field("prf", "hmac-sha256")
                        parameters.field("salt", Hex.encode(salt))
                    }
                }
                section.field("mac", Hex.encode(mac.bytes))
            }
        }
        return text.bytes + [0x0a]
    }
}
