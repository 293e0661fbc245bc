import Ethereum
import Primitives

/// The contract calls that say whether an authorization's nonce is used, and what their answers mean.
enum AuthorizationCall {
    /// The Permit2 contract, at the same address on every chain that has it.
    ///
    /// Source: github.com/Uniswap/permit2, "Deployments".
    static let permit2 = Address(
        lastBytesOf: Bytes32(words: (0, 0x0000_0000, 0x0022_d473_030f_116d, 0xdee9_f6b4_3ac7_8ba3)))

    /// The first bytes of the hash of `authorizationState(address,bytes32)` (EIP-3009).
    private static let authorizationState: [UInt8] = [0xe9, 0x4a, 0x01, 0x02]
    /// The same of `nonceBitmap(address,uint256)` (Permit2, `ISignatureTransfer`).
    private static let nonceBitmap: [UInt8] = [0x4f, 0xe0, 0x2b, 0x44]

    /// The contract to call.
    static func contract(for probe: AuthorizationProbe) -> Address {
        switch probe.kind {
        case .eip3009: probe.token
        case .permit2: permit2
        }
    }

    /// The selector and two ABI words, 68 bytes.
    static func data(for probe: AuthorizationProbe) -> [UInt8] {
        switch probe.kind {
        case .eip3009: authorizationState + probe.authorizer.word.bytes + probe.nonce.bytes
        // The word of the bitmap that a nonce's bit stands in is the nonce without its last byte.
        case .permit2: nonceBitmap + probe.authorizer.word.bytes + [0] + probe.nonce.bytes.dropLast()
        }
    }

    /// Whether the nonce is used, by the bytes that the contract answered with; nil when they cannot be its answer.
    ///
    /// A cancelled authorization counts as used: it cannot settle either. Only exactly one word is an answer: an address
    /// without a contract answers every call with no bytes at all.
    static func isUsed(_ answer: [UInt8], for probe: AuthorizationProbe) -> Bool? {
        guard let word = Bytes32(answer) else { return nil }
        switch probe.kind {
        case .eip3009:
            switch UInt256(bigEndian: word) {
            case .zero: return false
            case UInt256(1): return true
            default: return nil
            }
        case .permit2:
            guard let bit = probe.nonce.bytes.last else { return nil }
            // The word is big-endian, so bit 0 stands in its last byte.
            return answer[31 - Int(bit >> 3)] >> (bit & 7) & 1 == 1
        }
    }
}
