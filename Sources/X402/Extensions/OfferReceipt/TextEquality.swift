import Ethereum

extension String {
    /// Byte for byte: Swift's own comparison takes different spellings of one character for equal.
    func isSameText(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Whether two texts name one account: any case on EVM, byte for byte elsewhere.
    func isSameAccount(as other: String) -> Bool {
        guard let one = Address(hex: self), let two = Address(hex: other) else { return isSameText(as: other) }
        return one == two
    }
}
