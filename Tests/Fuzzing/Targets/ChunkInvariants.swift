import NIOCore
import Transport

/// The chunked coding: the same end and the same content however it arrives, and the same as a plainer reader's.
enum ChunkInvariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let whole = read(input, inPiecesOf: input.count)
        for size in [1, 5] where input.count < 4096 {
            let pieces = read(input, inPiecesOf: size)
            try hold(pieces?.taken == whole?.taken, "a body ends at the same place in pieces of \(size)")
            try hold(pieces?.isFinished == whole?.isFinished, "a body is finished in pieces of \(size)")
            try hold(pieces?.content == whole?.content, "the content is the same in pieces of \(size)")
        }
        guard let whole else { return }
        try hold(whole.taken <= input.count, "no more is taken than there is")
        try hold(whole.isFinished || whole.taken == input.count, "an unfinished body takes everything")
        guard whole.isFinished else { return }
        try hold(plainContent(of: Array(input[..<whole.taken])) == whole.content, "a plainer reader finds the same")
        guard let content = try? ChunkScanner.content(of: Array(input[..<whole.taken])) else {
            throw BrokenInvariant("a body that was followed has its content")
        }
        try hold(content == whole.content, "the content is that of the whole")
        var buffer = ByteBuffer(bytes: input)
        var reader = BodyReader(.chunked)
        guard let body = try? reader.take(from: &buffer) else { throw BrokenInvariant("a body can be taken") }
        try hold(
            buffer.readableBytes == input.count - whole.taken && reader.isFinished, "a body is taken as it was followed"
        )
        let written = Array(body.readableBytesView)
        try hold(
            isWrittenInOneForm(written, content: whole.content), "a body travels on in the one form that all read alike"
        )
        for size in [1, 3] where input.count < 4096 {
            try hold(rewritten(input, inPiecesOf: size) == written, "it travels on alike in pieces of \(size)")
        }
        try hold(rewritten(written, inPiecesOf: written.count) == written, "what is in that form stays as it is")
    }

    private static func rewritten(_ input: [UInt8], inPiecesOf size: Int) -> [UInt8]? {
        var reader = BodyReader(.chunked)
        var buffer = ByteBuffer()
        var output: [UInt8] = []
        for start in stride(from: 0, to: input.count, by: size) where !reader.isFinished {
            buffer.writeBytes(input[start..<min(input.count, start + size)])
            do {
                while let part = try reader.take(from: &buffer) { output += part.readableBytesView }
            } catch {
                return nil
            }
        }
        return output
    }

    /// Whether a complete body has nothing but sizes without zeros in front, content, and trailers with a colon and a blank.
    private static func isWrittenInOneForm(_ body: [UInt8], content: [UInt8]) -> Bool {
        var rest = body[...]
        var found: [UInt8] = []
        while let line = firstLine(of: &rest) {
            let digits = String(decoding: line, as: UTF8.self)
            guard !line.isEmpty, line.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || isHexLetter($0) }),
                digits == "0" || !digits.hasPrefix("0"), let size = Int(digits, radix: 16)
            else { return false }
            guard size > 0 else { return found == content && hasPlainTrailers(rest) }
            guard rest.count >= size else { return false }
            found += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard firstLine(of: &rest)?.isEmpty ?? false else { return false }
        }
        return false
    }

    private static func isHexLetter(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20
    }

    private static func hasPlainTrailers(_ lines: ArraySlice<UInt8>) -> Bool {
        var rest = lines
        while let line = firstLine(of: &rest) {
            if line.isEmpty { return rest.isEmpty }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line.index(after: colon) < line.endIndex, line[line.index(after: colon)] == 0x20
            else { return false }
        }
        return false
    }

    private static func read(
        _ input: [UInt8], inPiecesOf size: Int
    ) -> (taken: Int, isFinished: Bool, content: [UInt8])? {
        var scanner = ChunkScanner()
        var taken = 0
        var content: [UInt8] = []
        while taken < input.count, !scanner.isFinished {
            let piece = Array(input[taken..<min(input.count, taken + max(1, size))])
            guard let count = try? scanner.scan(piece.span, data: { content += piece[$0] }) else { return nil }
            taken += count
            if count < piece.count { break }
        }
        return (taken, scanner.isFinished, content)
    }

    /// The content of a complete body, line by line, where every line ends with CRLF; nil when it has no such lines.
    private static func plainContent(of body: [UInt8]) -> [UInt8]? {
        var rest = body[...]
        var content: [UInt8] = []
        while let line = firstLine(of: &rest) {
            let size = line.prefix { $0 != UInt8(ascii: ";") }
            // Blanks may stand before an extension, and nowhere else.
            let isExtended = size.count < line.count
            let digits = String(
                decoding: isExtended ? size.prefix { $0 != 0x20 && $0 != 0x09 } : size, as: UTF8.self)
            guard let size = Int(digits, radix: 16), size >= 0, !digits.hasPrefix("+") else { return nil }
            guard size > 0 else {
                while let trailer = firstLine(of: &rest) {
                    if trailer.isEmpty { return rest.isEmpty ? content : nil }
                }
                return nil
            }
            guard rest.count >= size else { return nil }
            content += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard firstLine(of: &rest)?.isEmpty ?? false else { return nil }
        }
        return nil
    }

    /// Takes a line and its CRLF from the front; nil when it ends otherwise.
    private static func firstLine(of rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.firstIndex(where: { $0 == 0x0d || $0 == 0x0a }), rest[end] == 0x0d,
            end + 1 < rest.endIndex, rest[end + 1] == 0x0a
        else { return nil }
        let line = rest[..<end]
        rest = rest[(end + 2)...]
        return line
    }
}
