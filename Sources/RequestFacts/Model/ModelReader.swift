package import Primitives

/// What of a request's head bears on the model that it names.
package struct RequestOutline: Sendable {
    /// Path and query, as they are sent.
    package let target: String
    /// The values of the Content-Type fields, in order.
    package let contentTypes: [[UInt8]]
    /// The values of the Content-Encoding fields, in order.
    package let contentEncodings: [[UInt8]]

    /// Makes an outline.
    package init(target: String, contentTypes: [[UInt8]], contentEncodings: [[UInt8]]) {
        self.target = target
        self.contentTypes = contentTypes
        self.contentEncodings = contentEncodings
    }

    /// Whether the body is longer than its bytes say, so that reading it takes more than they do.
    package var isEncoded: Bool { !contentEncodings.isEmpty }
}

/// Reads which model a request names, from its target and from its body piece by piece.
///
/// The fact is known where every reader finds the same name, absent where every reader finds none, and unknown
/// otherwise. Memory is bounded, and so is what a compressed body may grow to (``DecodingBudget``). Reading ends as soon as
/// the fact is unknown.
///
/// Many sellers do not know content codings and read the encoded bytes. So codings are taken off only where the encoded
/// bytes cannot be read as a text: not off forms, whose readers find `&model=` anywhere, such as in a comment of gzip.
package final class ModelReader {
    /// Content codings on top of each other that are still taken off.
    static let maximumCodings = 3

    private var candidates: ModelCandidates
    /// The outermost coding first, each with how its encoded bytes begin.
    private var codings: [(decoder: any ContentDecoder, encoded: KindSniffer)]
    private var scanner: any BodyScanner
    private var hasBody = false
    private var isUnreadable = false

    /// Makes a reader for the body behind a head.
    package init(_ outline: RequestOutline) {
        candidates = ModelCandidates(target: outline.target)
        let decoders = Self.decoders(outline.contentEncodings)
        codings = (decoders ?? []).map { ($0, KindSniffer()) }
        scanner = decoders.map { Self.scanner(outline.contentTypes, isEncoded: !$0.isEmpty) } ?? UnreadableScanner()
    }

    /// Reads the next piece of the body, transfer codings taken off.
    package func absorb(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        hasBody = true
        guard !isSettled else { return }
        do throws(DecodingFailure) {
            try pass(bytes, behind: 0)
        } catch {
            isUnreadable = true
        }
    }

    /// Takes note that the body has ended, and says what the request comes to.
    package func finish() -> Fact<String> {
        guard hasBody, !isSettled else { return isSettled ? .unknown : candidates.fact }
        guard codings.allSatisfy({ $0.decoder.isFinished && !$0.encoded.kind.isText }) else { return .unknown }
        scanner.finish()
        return candidates.joined(with: scanner.candidates).fact
    }

    /// Whether nothing that follows makes a difference.
    var isSettled: Bool { isUnreadable || candidates.isUnclear || scanner.candidates.isUnclear }

    private func pass(_ bytes: Span<UInt8>, behind count: Int) throws(DecodingFailure) {
        guard count < codings.count else { return scanner.absorb(bytes) }
        codings[count].encoded.absorb(bytes)
        let decoder = codings[count].decoder
        var position = 0
        while true {
            let (consumed, produced) = try decoder.step(bytes.extracting(position..<bytes.count))
            position += consumed
            if produced > 0 {
                let output = decoder.output
                try pass(output.span.extracting(0..<produced), behind: count + 1)
            }
            // A step that filled its output may hold more back.
            let isFull = produced == decoder.output.count
            guard position < bytes.count || (isFull && !decoder.isFinished), consumed > 0 || produced > 0 else { break }
        }
        guard position == bytes.count else { throw DecodingFailure() }
    }

    /// The decoders of codings that were applied in this order; nil for one that is not known, or too many.
    private static func decoders(_ values: [[UInt8]]) -> [any ContentDecoder]? {
        var decoders: [any ContentDecoder] = []
        for value in values {
            for coding in String(decoding: value, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
            {
                let name = coding.utf8.drop(while: FieldParameters.isBlank).prefix { !FieldParameters.isBlank($0) }
                let rest = coding.utf8[name.endIndex...]
                guard rest.allSatisfy(FieldParameters.isBlank) else { return nil }
                switch String(Substring(name)).lowercased() {
                case "", "identity": continue
                case "gzip", "x-gzip": decoders.append(Inflater(.gzip))
                case "deflate": decoders.append(Inflater(.deflate))
                case "zstd": decoders.append(ZstdDecoder())
                default: return nil
                }
                guard decoders.count <= maximumCodings else { return nil }
            }
        }
        return decoders.reversed()
    }

    private static func scanner(_ types: [[UInt8]], isEncoded: Bool) -> any BodyScanner {
        guard types.count == 1, let type = MediaType(types[0]) else { return UnreadableScanner() }
        if type.isJSON { return type.isUTF8 ? JSONMemberScanner() : UnreadableScanner() }
        switch (type.type, type.subtype) {
        case ("application", "x-www-form-urlencoded") where !isEncoded:
            return type.isUTF8 ? FormBodyScanner() : UnreadableScanner()
        case ("multipart", "form-data") where !isEncoded:
            return type.boundary.map { MultipartScanner(boundary: $0) } ?? UnreadableScanner()
        case ("image", _), ("audio", _), ("video", _), ("font", _), ("application", "octet-stream"):
            return OpaqueScanner()
        default: return UnreadableScanner()
        }
    }
}
