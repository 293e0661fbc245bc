import Primitives

/// A chain as one node tells of it; every part can be made to lie.
struct FakeChain: Sendable {
    var chainID = "0x66eee"
    /// Blocks by tag.
    var tags: [String: UInt64] = ["finalized": 1000, "safe": 1040, "latest": 1100]
    /// The time of block 0; each later block is a second younger.
    var genesis: Int64 = 1_700_000_000
    /// The base fee of every block, as the text of a quantity; nil on a chain without base fees.
    var baseFee: String?
    /// Tells one history from another.
    var branch: UInt64 = 1
    /// Calls, by their data, whose answer is not zero: the text of the result.
    var words: [String: String] = [:]
    /// The text of the result of every other call.
    var word = "\"0x" + String(repeating: "0", count: 64) + "\""
    /// The text of the result of a call by its method and parameters; nil leaves the answer to the rest.
    var more: @Sendable (String, [JSONValue]) -> String? = { _, _ in nil }
    /// Changes the texts of the responses.
    var arrange: @Sendable ([String]) -> [String] = { $0 }
    /// Makes a reply of the text of the answer.
    var http: @Sendable (String) -> Reply = { .with($0) }

    /// The text of a block.
    func block(_ number: UInt64) -> String {
        let time = String(genesis + Int64(number), radix: 16)
        let hash = Hex.prefixed(Bytes32(words: (branch, 0, 0, number)).bytes)
        let short = String(number, radix: 16)
        let fee = baseFee.map { ",\"baseFeePerGas\":\($0)" } ?? ""
        return """
            {"number":"0x\(short)","hash":"\(hash)","timestamp":"0x\(time)","transactions":["\(hash)"],"difficulty":"0x0"\(fee)}
            """
    }

    func answer(to body: String) -> String {
        let calls = (try? JSONReader.read(Array(body.utf8)))?.elements ?? []
        let responses = calls.map { call in
            let id = call["id"]?.integer ?? 0
            let result = more(call["method"]?.string ?? "", call["params"]?.elements ?? []) ?? result(of: call)
            // What begins like an error's text is one.
            return
                "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"\(result.hasPrefix("{\"code\"") ? "error" : "result")\":\(result)}"
        }
        return "[" + arrange(responses).joined(separator: ",") + "]"
    }

    private func result(of call: JSONValue) -> String {
        let parameters = call["params"]?.elements ?? []
        switch call["method"]?.string {
        case "eth_chainId":
            return "\"\(chainID)\""
        case "eth_getBlockByNumber":
            let name = parameters.first?.string ?? ""
            guard parameters.count == 2, parameters[1].bool == false else { return "null" }
            if let number = tags[name] { return block(number) }
            let number = UInt64(name.dropFirst(2), radix: 16) ?? 0
            return number <= tags["latest"] ?? 0 ? block(number) : "null"
        case "eth_call":
            return words[parameters.first?["data"]?.string ?? ""] ?? word
        default:
            return "null"
        }
    }
}
