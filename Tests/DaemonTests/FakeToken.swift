import Ethereum
import Primitives
import Synchronization

/// A chain with one token and one account on it, as a node tells of it: what is sent to it happens at once.
final class FakeToken: Sendable {
    struct State: Sendable {
        var chainID: UInt64 = 56
        var decimals: UInt64 = 18
        var allowance = UInt256.zero
        var balance = UInt256(5)
        var permits: UInt64 = 0
        var coins = UInt256(1_000_000_000_000_000_000)
        var count: UInt64 = 7
        /// Transactions on their way.
        var pending: UInt64 = 0
        var gas: UInt64 = 48_000
        /// Whether `approve` reverts from one amount to another, and answers with nothing.
        var isTether = false
        /// Whether `approve` answers no.
        var refuses = false
        /// Whether transactions fail that simulations do not.
        var fails = false
        var hasBaseFee = true
        var block: UInt64 = 100
        /// How often a contract was called.
        var calls = 0
        /// What was sent, as it came.
        var sent: [[UInt8]] = []
        fileprivate var receipts: [Bytes32: (block: UInt64, succeeded: Bool)] = [:]
    }

    let state: Mutex<State>
    private let time: Int64

    init(time: Int64, _ change: (inout State) -> Void = { _ in }) {
        self.time = time
        var state = State()
        change(&state)
        self.state = Mutex(state)
    }

    var sent: [[UInt8]] { state.withLock { $0.sent } }

    /// The text of a result, or of an error.
    func answer(_ method: String, _ parameters: [JSONValue]) -> String {
        state.withLock { state in
            switch method {
            case "eth_chainId": return "\"0x\(String(state.chainID, radix: 16))\""
            case "eth_getBlockByNumber":
                let text = parameters.first?.string ?? ""
                let number = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) ?? 0 : state.block
                let hash = Bytes32(words: (1, 0, 0, number))
                let fee = state.hasBaseFee ? #","baseFeePerGas":"0x2""# : ""
                return """
                    {"number":"0x\(String(number, radix: 16))","hash":"\(hash)","timestamp":"0x\(String(time, radix: 16))"\(fee)}
                    """
            case "eth_call":
                state.calls += 1
                return call(parameters.first?["data"]?.string ?? "", state)
            case "eth_estimateGas": return "\"0x\(String(state.gas, radix: 16))\""
            case "eth_gasPrice": return "\"0x3b9aca00\""
            case "eth_feeHistory":
                return state.hasBaseFee ? #"{"reward":[["0x5"]]}"# : #"{"code":-32601,"message":"unknown"}"#
            case "eth_getTransactionCount":
                let count = state.count + (parameters.last?.string == "pending" ? state.pending : 0)
                return "\"0x\(String(count, radix: 16))\""
            case "eth_getBalance":
                return "\"0x\(String(state.coins.uint64 ?? 0, radix: 16))\""
            case "eth_sendRawTransaction": return send(parameters.first?.string ?? "", &state)
            case "eth_getTransactionReceipt":
                let hash = parameters.first?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) } ?? .zero
                guard let receipt = state.receipts[hash] else { return "null" }
                return """
                    {"transactionHash":"\(hash)","blockHash":"\(Bytes32.zero)","blockNumber":"0x\(String(receipt.block, radix: 16))",\
                    "status":"\(receipt.succeeded ? "0x1" : "0x0")"}
                    """
            default: return "null"
            }
        }
    }

    private func call(_ data: String, _ state: State) -> String {
        let bytes = Hex.decode(data) ?? []
        switch Array(bytes.prefix(4)) {
        case ERC20.decimals: return word(UInt256(state.decimals))
        case Array(ERC20.balance(of: .zero).prefix(4)): return word(state.balance)
        case Array(ERC20.allowance(owner: .zero, spender: .zero).prefix(4)): return word(state.allowance)
        case Array(ERC20.permitNonce(of: .zero).prefix(4)): return word(UInt256(state.permits))
        case ERC20.approveSelector:
            guard accepts(amount(bytes), state) else { return #"{"code":3,"message":"execution reverted"}"# }
            return state.isTether ? "\"0x\"" : word(state.refuses ? .zero : UInt256(1))
        default: return "\"0x\""
        }
    }

    private func word(_ value: UInt256) -> String { "\"\(value.bigEndianBytes)\"" }

    private func amount(_ data: [UInt8]) -> UInt256 {
        Bytes32(Array(data.suffix(32))).map { UInt256(bigEndian: $0) } ?? .zero
    }

    private func accepts(_ amount: UInt256, _ state: State) -> Bool {
        !state.isTether || state.allowance.isZero || amount.isZero
    }

    private func send(_ text: String, _ state: inout State) -> String {
        guard let bytes = Hex.decode(text), let first = bytes.first,
            case .list(let fields)? = try? RLP(decoding: first < 0x80 ? Array(bytes.dropFirst()) : bytes),
            case .bytes(let data) = fields[first < 0x80 ? 7 : 5],
            fields[first < 0x80 ? 1 : 0] == .number(state.count + state.pending)
        else { return #"{"code":-32000,"message":"invalid transaction"}"# }
        let hash = Keccak256.hash(bytes)
        state.sent.append(bytes)
        state.count += 1
        state.block += 1
        let succeeded = accepts(amount(data), state) && !state.fails
        if succeeded { state.allowance = amount(data) }
        state.receipts[hash] = (state.block, succeeded)
        return "\"\(hash)\""
    }
}
