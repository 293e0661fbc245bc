extension ModelCandidates {
    /// What a target names: `?model=NAME`, and the paths `…/models/NAME:ACTION` and `…/deployments/NAME/…`.
    ///
    /// `models` in another case, escaped, beside an empty segment or with parameters is one for some readers only.
    init(target: String) {
        self.init()
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = Array(target.utf8[..<(mark ?? target.utf8.endIndex)])
        if let mark { add(FormScanner.candidates(inQuery: target[target.utf8.index(after: mark)...])) }
        // Some readers end the target at a fragment, and some do not know one in a request.
        if target.utf8.contains(UInt8(ascii: "#")) { unclear() }
        read(path: path)
    }

    /// What two parts of a request come to.
    func joined(with other: ModelCandidates) -> ModelCandidates {
        var joined = self
        joined.add(other)
        return joined
    }

    private mutating func read(path: [UInt8]) {
        let segments = path.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") }.dropFirst()
        // Some readers make one slash of two, or take the other one for it.
        let hasOddSlash = segments.dropLast().contains { $0.isEmpty } || path.contains(UInt8(ascii: "\\"))
        let parts = path.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        var collection: Collection?
        for (index, part) in parts.enumerated() {
            let decoded = PercentCoding.decode(part)
            let word = Self.word(decoded ?? Array(part))
            let isExact = part.elementsEqual(word.utf8) && !hasOddSlash && decoded != nil
            if word == "deployments", index + 1 < parts.count {
                // Something has to follow the name, if only a slash.
                guard index + 2 < parts.count || path.last == UInt8(ascii: "/") else { continue }
                take(Self.plainName(parts[index + 1]), isExact: isExact)
            }
            if let collection, (decoded ?? Array(part)).contains(UInt8(ascii: ":")) {
                // `a/b:verb` and `a:b:verb` have as many readings as there are routers.
                let pieces = part.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                let isPlain = collection.isExact && collection.index == index - 1 && pieces.count == 2
                let action = pieces.last.flatMap { PercentCoding.decode($0) } ?? []
                if isPlain, !action.isEmpty, !action.contains(UInt8(ascii: ":")) {
                    name(Self.plainName(pieces[0]))
                } else {
                    unclear()
                }
            }
            if word.hasSuffix("models") { collection = Collection(index: index, isExact: word == "models" && isExact) }
        }
    }

    /// Where the segment `models` is, or one like it.
    private struct Collection {
        let index: Int
        let isExact: Bool
    }

    private mutating func take(_ name: String?, isExact: Bool) {
        if isExact { self.name(name) } else { mayName(name) }
    }

    /// A segment without its parameters, in lower case.
    private static func word(_ segment: [UInt8]) -> String {
        String(decoding: segment.prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self).lowercased()
    }

    /// The name in a segment; nil where readers could take it differently.
    private static func plainName(_ part: ArraySlice<UInt8>) -> String? {
        guard let decoded = PercentCoding.decode(part), !decoded.contains(where: { "/\\:;%?#".utf8.contains($0) })
        else {
            return nil
        }
        return ModelName.read(decoded)
    }
}
