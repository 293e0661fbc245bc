import Ethereum
import Primitives
import TestSupport
import Testing
import X402

/// The extensions of a challenge, out of the JSON text of its `extensions` object, on the way every challenge takes.
func extensions(_ object: String) throws -> [Challenge.Extension] {
    let challenge = #"{"x402Version":2,"accepts":[],"extensions":\#(object)}"#
    return try Challenge.read(ChallengeSource(header: Array(challenge.utf8), body: nil)).extensions
}

/// The vectors' keys, all bytes of which are the same.
enum VectorKey: UInt8 {
    case payer = 1
    case seller = 2
    case stranger = 3

    static let context = Result { try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32()) }

    private var bytes: [UInt8] { [UInt8](repeating: rawValue, count: 32) }

    var address: Address {
        get throws { try Self.context.get().address(ofKey: bytes.span) }
    }

    func sign(_ digest: Bytes32) throws -> Signature {
        try Self.context.get().sign(digest: digest, key: bytes.span)
    }
}
