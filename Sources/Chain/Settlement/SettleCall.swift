import Ethereum
import Primitives

/// What the proxy of scheme `upto` is called with.
///
/// Source: x402UptoPermit2Proxy, `settle` and `settleWithPermit`.
struct SettleCall: Equatable {
    let token: Address
    let maximum: UInt256
    let nonce: Bytes32
    /// What is moved.
    let amount: UInt256
    let owner: Address
    let payee: Address

    private static let arguments =
        "((address,uint256),uint256,uint256),uint256,address,(address,address,uint256),bytes)"
    /// The first bytes of the hash of `settle`.
    static let settle = Array(Keccak256.hash("settle(" + arguments).bytes.prefix(4))
    /// The same of `settleWithPermit`, which has the token's own permit in front: five words.
    static let settleWithPermit = Array(
        Keccak256.hash("settleWithPermit((uint256,uint256,bytes32,bytes32,uint8)," + arguments).bytes.prefix(4))

    /// Reads a transaction's input; nil for what is no such call.
    init?(_ input: [UInt8]) {
        let start: Int
        switch Array(input.prefix(4)) {
        case Self.settle: start = 4
        case Self.settleWithPermit: start = 4 + 5 * 32
        default: return nil
        }
        // Token, maximum, nonce, deadline, amount, owner, payee, facilitator, validAfter, and where the signature stands.
        guard input.count >= start + 10 * 32 else { return nil }
        let words = (0..<10).compactMap { Bytes32(Array(input[start + $0 * 32..<start + ($0 + 1) * 32])) }
        guard words.count == 10, let token = Self.address(words[0]), let owner = Self.address(words[5]),
            let payee = Self.address(words[6])
        else { return nil }
        self.token = token
        maximum = UInt256(bigEndian: words[1])
        nonce = words[2]
        amount = UInt256(bigEndian: words[4])
        self.owner = owner
        self.payee = payee
    }

    /// An address in a word; nil when other bits are set, for which the contract reverts.
    private static func address(_ word: Bytes32) -> Address? {
        let address = Address(lastBytesOf: word)
        return address.word == word ? address : nil
    }

    /// Whether it settles this payment and no other.
    func settles(_ question: SettlementQuestion) -> Bool {
        token == question.route.token && owner == question.route.from && payee == question.route.to
            && nonce == question.nonce && maximum == question.maximum
    }
}
