package import Primitives

/// A text as wallets sign it for people and programs to read: EIP-191, version 0x45, known as `personal_sign`.
///
/// Its first byte keeps it apart from transactions, and its second from the typed data that payments are: no text has
/// the digest of an authorization.
package struct PersonalMessage: Hashable, Sendable {
    /// The text.
    package let text: String

    /// Makes a message.
    package init(_ text: String) {
        self.text = text
    }

    /// What is signed: the hash of the prefix, the text's length in bytes as decimal digits, and the text.
    package var digest: Bytes32 {
        let content = Array(text.utf8)
        var hasher = Keccak256()
        hasher.absorb(Array("\u{19}Ethereum Signed Message:\n\(content.count)".utf8))
        hasher.absorb(content)
        return hasher.finish()
    }
}
