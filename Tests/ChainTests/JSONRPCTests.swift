import Primitives
import Testing

@testable import Chain

@Suite("JSON-RPC")
struct JSONRPCTests {
    private func decode(
        _ text: String, count: Int = 2
    ) throws -> [Result<JSONValue, JSONRPCBatch.Refusal>] {
        try JSONRPCBatch.decode(Array(text.utf8), count: count)
    }

    private static func response(_ id: String, _ rest: String = "\"result\":\"0x1\"") -> String {
        "{\"jsonrpc\":\"2.0\",\"id\":\(id),\(rest)}"
    }

    @Test("a batch numbers its calls from 1")
    func encode() {
        let calls = [NodeCall.chainID, NodeCall.block("finalized")]
        #expect(
            String(decoding: JSONRPCBatch.encode(calls), as: UTF8.self)
                == #"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]},"#
                + #"{"jsonrpc":"2.0","id":2,"method":"eth_getBlockByNumber","params":["finalized",false]}]"#)
    }

    @Test("a contract is called as of a block's number")
    func contractCall() {
        let text = String(
            decoding: StateQuestion(Probes.token).call(1000).parameters, as: UTF8.self)
        #expect(
            text
                == "[{\"to\":\"0x000000000000000000000000000000000000abcd\",\"data\":\"\(Probes.data(Probes.token))\"},"
                + "\"0x3e8\"]")
    }

    @Test("responses are matched by id, in whatever order they come")
    func order() throws {
        let text = "[\(Self.response("2", #""result":"b""#)), \(Self.response("1", #""result":"a""#))]"
        #expect(try decode(text).map { try $0.get().string } == ["a", "b"])
    }

    @Test("a null result is a result")
    func null() throws {
        let first = try decode("[\(Self.response("1", #""result":null"#))]", count: 1)[0]
        #expect(try first.get().isNull)
    }

    @Test("an error is the answer to its own call, and a lone one to all")
    func errors() throws {
        let error = #""error":{"code":-32000,"message":"missing trie node"}"#
        let refusal = JSONRPCBatch.Refusal(code: -32000, message: "missing trie node")
        let mixed = try decode("[\(Self.response("1")),\(Self.response("2", error))]")
        #expect(try mixed[0].get().string == "0x1")
        #expect(throws: refusal) { try mixed[1].get() }
        for answer in try decode(Self.response("null", error)) { #expect(throws: refusal) { try answer.get() } }
    }

    @Test(
        "reject- answers that do not answer each call once",
        arguments: [
            ("", JSONRPCFault.notJSON), ("<html>", .notJSON), ("[", .notJSON), ("[]x", .notJSON),
            (String(repeating: "[", count: 100) + String(repeating: "]", count: 100), .notJSON),
            ("{}", .notABatch), ("\"0x1\"", .notABatch), (response("1"), .notABatch),
            ("[]", .missingID), ("[\(response("1"))]", .missingID),
            ("[\(response("1")),\(response("1"))]", .duplicateID),
            ("[\(response("1")),\(response("2")),\(response("2"))]", .duplicateID),
            ("[\(response("1")),\(response("3"))]", .unknownID), ("[\(response("0")),\(response("1"))]", .unknownID),
            ("[\(response("-1")),\(response("1"))]", .unknownID),
            ("[\(response("\"1\"")),\(response("2"))]", .badResponse),
            ("[\(response("1.0")),\(response("2"))]", .badResponse),
            ("[\(response("null")),\(response("2"))]", .badResponse),
            ("[1,2]", .badResponse), ("[{\"id\":1,\"result\":1},\(response("2"))]", .badResponse),
            ("[{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":1},\(response("2"))]", .badResponse),
            ("[\(response("1", "\"x\":1")),\(response("2"))]", .badResponse),
            ("[\(response("1", #""result":1,"error":{"code":1,"message":"m"}"#)),\(response("2"))]", .badResponse),
            ("[\(response("1", #""error":"no""#)),\(response("2"))]", .badResponse),
            ("[\(response("1", #""error":{"message":"m"}"#)),\(response("2"))]", .badResponse),
            ("[\(response("1", #""result":1,"result":2"#)),\(response("2"))]", .notJSON),
        ])
    func faults(text: String, fault: JSONRPCFault) {
        #expect(throws: fault) { try JSONRPCBatch.decode(Array(text.utf8), count: 2) }
    }

    @Test("an error's text is cut and made printable")
    func shownText() {
        #expect(JSONRPCBatch.shown("a\nb\u{1b}[31mé\u{202e}") == "a?b?[31m??")
        #expect(JSONRPCBatch.shown(String(repeating: "x", count: 1000)) == String(repeating: "x", count: 128))
    }

    @Test(
        "quantities of up to 64 bits are read",
        arguments: [("0x0", 0), ("0x1", 1), ("0x3e8", 1000), ("0xFf", 255), ("0xffffffffffffffff", UInt64.max)])
    func quantities(text: String, number: UInt64) {
        #expect(JSONRPCQuantity.decode(text) == number)
        #expect(JSONRPCQuantity.encode(number) == text.lowercased())
    }

    @Test(
        "reject- what is not a quantity",
        arguments: ["", "0x", "0", "1", "0x01", "0x00", "0x+1", "0x-1", "0xg", "0x 1", "0X1", "0x10000000000000000"])
    func badQuantities(_ text: String) {
        #expect(JSONRPCQuantity.decode(text) == nil)
    }
}
