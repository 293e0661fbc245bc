import NIOCore
import Primitives
import Transport

/// Heads of HTTP/1.1: the same however they arrive, and the same again when their lines are copied.
enum HeadInvariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let whole = found(input, inPiecesOf: input.count)
        for size in [1, 7] where input.count < 4096 {
            try hold(found(input, inPiecesOf: size) == whole, "a head ends at the same place in pieces of \(size)")
        }
        guard case .success(let length?) = whole else { return }
        try hold(input[..<length].suffix(2).elementsEqual([0x0d, 0x0a]), "a head ends with its empty line")
        let bytes = ByteBuffer(bytes: input[..<length])
        if let request = try? RequestHead(bytes) {
            try hold(!request.fields.lines.contains { $0.name == .alias }, "no name of a request is read as another")
            try check(request.fields, request.framing, isHTTP10: request.isHTTP10)
            let line = "\(request.method) \(request.target) HTTP/1.\(request.isHTTP10 ? 0 : 1)\r\n"
            try hold(
                input[..<length].elementsEqual(copy(line, request.fields)), "a request is its line and its fields")
        }
        if let response = try? ResponseHead(bytes) {
            try check(response.fields, response.framing(answering: "GET"), isHTTP10: response.isHTTP10)
            try hold(response.framing(answering: "HEAD") == .none, "an answer to HEAD has no body")
            try hold(
                input[..<length].suffix(copy("", response.fields).count).elementsEqual(copy("", response.fields)),
                "an answer's fields are its last lines")
        }
    }

    private static func found(_ input: [UInt8], inPiecesOf size: Int) -> Result<Int?, HTTP1Error> {
        var buffer = ByteBuffer(string: "earlier")
        buffer.moveReaderIndex(to: buffer.writerIndex)
        var scanner = HeadScanner()
        var start = 0
        do throws(HTTP1Error) {
            while start < input.count {
                let end = min(input.count, start + max(1, size))
                buffer.writeBytes(input[start..<end])
                start = end
                if let length = try scanner.endOfHead(in: buffer, limit: HTTP1Limits.requestHeadBytes) {
                    return .success(length)
                }
            }
            return .success(nil)
        } catch {
            return .failure(error)
        }
    }

    private static func copy(_ line: String, _ fields: FieldSection) -> [UInt8] {
        var output = ByteBuffer(string: line)
        for line in fields.lines { fields.copy(line, to: &output) }
        output.writeString("\r\n")
        return Array(output.readableBytesView)
    }

    private static func check(
        _ fields: FieldSection, _ framing: BodyFraming, isHTTP10: Bool
    ) throws(BrokenInvariant) {
        try hold(fields.lines.count <= HTTP1Limits.fieldCount, "the fields are bounded")
        var lengths = 0
        var codings = 0
        for line in fields.lines {
            let name = fields.name(of: line)
            let value = fields.value(line)
            try hold(
                !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }, "a name is a token")
            try hold(!value.contains { $0 == 0x0d || $0 == 0x0a || $0 == 0 }, "a value ends no line")
            try hold((name == "content-length") == (line.name == .contentLength), "Content-Length is known by its name")
            try hold(
                (name == "transfer-encoding") == (line.name == .transferEncoding),
                "Transfer-Encoding is known by its name")
            let folded = String(name.map { $0.isLetter || $0.isNumber ? $0 : "-" })
            if folded != name, folded == "content-length" || folded == "transfer-encoding" {
                try hold(line.name == .alias, "a name that is read as a framing one is known as an alias")
            }
            lengths += name == "content-length" ? 1 : 0
            codings += name == "transfer-encoding" ? 1 : 0
        }
        try hold(lengths + codings <= 1, "no head frames its body twice")
        try hold(!(framing == .chunked) || (codings == 1 && !isHTTP10), "only Transfer-Encoding makes chunks")
        if case .length = framing { try hold(lengths == 1, "only Content-Length makes a length") }
    }
}
