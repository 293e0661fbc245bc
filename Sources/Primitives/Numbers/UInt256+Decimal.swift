extension UInt256 {
    /// Why a text is not a canonical decimal `uint256`.
    package enum ParseError: Error, Equatable, Sendable {
        /// The text is empty.
        case empty
        /// A byte other than ASCII 0 to 9; signs, points, exponents and other scripts' digits included.
        case notADigit
        /// More than one digit with a zero in front.
        case leadingZero
        /// The value exceeds 2^256 - 1.
        case overflow
    }

    /// Reads canonical decimal text: ASCII digits only, no sign, no leading zeros, at most 78 digits.
    package init(decimal text: some StringProtocol) throws(ParseError) {
        let digits = Array(text.utf8)
        guard let first = digits.first else { throw .empty }
        guard digits.count <= 78 else { throw .overflow }
        var value = UInt256.zero
        var chunk: UInt64 = 0
        var scale: UInt64 = 1
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { throw .notADigit }
            chunk = chunk * 10 + UInt64(digit - 0x30)
            scale *= 10
            if scale == 1_000_000_000_000_000_000 {
                value = try value.shifted(by: scale, adding: chunk)
                chunk = 0
                scale = 1
            }
        }
        guard first != 0x30 || digits.count == 1 else { throw .leadingZero }
        self = try value.shifted(by: scale, adding: chunk)
    }

    private func shifted(by scale: UInt64, adding chunk: UInt64) throws(ParseError) -> UInt256 {
        guard let product = multiplied(by: scale), let sum = product.adding(UInt256(chunk)) else { throw .overflow }
        return sum
    }
}

extension UInt256: CustomStringConvertible {
    /// Canonical decimal text.
    package var description: String {
        if let small = uint64 { return String(small) }
        let scale: UInt64 = 1_000_000_000_000_000_000
        var chunks: [UInt64] = []
        var rest = self
        while !rest.isZero, let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: scale) {
            chunks.append(remainder)
            rest = quotient
        }
        var text = String(chunks.removeLast())
        for chunk in chunks.reversed() {
            let digits = String(chunk)
            text += String(repeating: "0", count: 18 - digits.count) + digits
        }
        return text
    }
}
