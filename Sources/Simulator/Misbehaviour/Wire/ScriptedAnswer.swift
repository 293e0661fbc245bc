import Primitives

/// The bytes of an answer and what becomes of the connection behind them: no HTTP library stands between.
struct ScriptedAnswer: Sendable {
    /// What happens behind the bytes.
    enum Ending: Sendable {
        /// The connection stays for the next request.
        case keepAlive
        /// The connection is closed in order.
        case close
        /// The connection is reset.
        case reset
        /// Nothing more comes.
        case hang
    }

    /// The bytes, possibly none.
    var bytes: [UInt8]
    /// What happens behind them.
    var ending = Ending.keepAlive

    /// An answer with whatever bytes.
    static func raw(_ text: String, then ending: Ending) -> ScriptedAnswer {
        ScriptedAnswer(bytes: Array(text.utf8), ending: ending)
    }

    /// An answer in order: status line, field lines as given, Content-Length, body.
    static func http(
        _ status: Int, _ lines: [String] = [], body: [UInt8] = Array("{}".utf8), then ending: Ending = .keepAlive
    ) -> ScriptedAnswer {
        let head = ["HTTP/1.1 \(status) Evil"] + lines + ["Content-Length: \(body.count)"]
        return ScriptedAnswer(
            bytes: Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, ending: ending)
    }

    /// An answer in order, with a text for its body.
    static func http(
        _ status: Int, _ lines: [String] = [], text: String, then ending: Ending = .keepAlive
    ) -> ScriptedAnswer {
        http(status, lines, body: Array(text.utf8), then: ending)
    }

    /// A JSON document.
    static func json(_ status: Int, _ text: JSONText) -> ScriptedAnswer {
        http(status, ["Content-Type: application/json", "Cache-Control: no-store"], body: text.bytes)
    }

    /// What the payer came for, with a receipt that is true as far as the payer can see.
    static func served(_ visit: Visit) -> ScriptedAnswer {
        .http(200, [Receipt(visit).line], text: #"{"served":true}"#)
    }

    /// The same without its body, as HEAD is answered.
    var withoutBody: ScriptedAnswer {
        var answer = self
        for end in bytes.indices.dropLast(3) where bytes[end..<end + 4].elementsEqual([13, 10, 13, 10]) {
            answer.bytes = Array(bytes[..<(end + 4)])
            break
        }
        return answer
    }
}
