import Primitives
import RequestFacts

/// The model of a request: the same however the body is cut, and never another one than a whole reader finds.
enum ModelInvariants {
    private static let types = [
        "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/octet-stream", "text/plain",
    ]
    private static let codings: [String?] = [nil, "gzip", "deflate", "zstd", "deflate, gzip", "br"]

    /// The first byte of the input chooses type and coding, the second how the rest is cut; a target may be in front of a
    /// line feed.
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        guard input.count >= 2 else { return }
        let type = types[Int(input[0]) % types.count]
        let coding = codings[Int(input[0]) / types.count % codings.count]
        let rest = input[2...]
        let hasTarget = input[1] & 0x80 != 0
        let line = hasTarget ? rest.prefix { $0 != 0x0a } : []
        let target = "/" + String(decoding: line.filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)
        let body = Array(hasTarget ? rest.dropFirst(line.count + 1) : rest)
        let outline = RequestOutline(
            target: target, contentTypes: [Array(type.utf8)],
            contentEncodings: coding.map { [Array($0.utf8)] } ?? [])
        let whole = read(body, outline, pieces: max(1, body.count))
        let pieces = 1 + Int(input[1] & 0x1f)
        try hold(read(body, outline, pieces: pieces) == whole, "a body in pieces of \(pieces) names the same model")
        if let name = whole.value {
            try hold((1...128).contains(name.unicodeScalars.count), "a name is 1 to 128 characters")
            try hold(!name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "a name is printable")
        }
        if !hasTarget, coding == nil, type == types[0], !body.isEmpty { try secondReader(body, whole) }
    }

    /// What the reader of whole documents accepts has the model that it finds there.
    private static func secondReader(_ body: [UInt8], _ fact: Fact<String>) throws(BrokenInvariant) {
        guard let members = (try? JSONReader.read(body))?.members else { return }
        let isElsewhere = members.contains {
            $0.key == "__proto__" || $0.key.prefix { $0 != "\0" }.lowercased() == "models"
        }
        guard !isElsewhere else {
            return try hold(fact == .unknown, "a list of models and a prototype are not guessed at")
        }
        let similar = members.filter { $0.key.prefix { $0 != "\0" }.lowercased() == "model" }
        guard similar.allSatisfy({ $0.key == "model" }) else {
            return try hold(fact == .unknown || similar.count > 1 || similar[0].value.isNull, "no key is guessed at")
        }
        guard let model = similar.first?.value, !model.isNull else {
            return try hold(fact == .absent, "what names no model names none")
        }
        guard let name = model.string else { return try hold(fact == .unknown, "a model is a text") }
        try hold(fact == .unknown || fact == .known(name), "the model is the one that is named")
        let isPlain = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && (1...128).contains(name.utf8.count)
        try hold(!isPlain || fact == .known(name), "a plain name is known")
    }

    private static func read(_ body: [UInt8], _ outline: RequestOutline, pieces size: Int) -> Fact<String> {
        let reader = ModelReader(outline)
        var position = 0
        while position < body.count {
            let end = min(position + size, body.count)
            reader.absorb(Array(body[position..<end]).span)
            position = end
        }
        return reader.finish()
    }
}
