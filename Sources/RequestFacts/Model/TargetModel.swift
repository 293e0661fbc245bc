extension ModelCandidates {
    /// What a target names: `?model=NAME`, and the paths `…/models/NAME:ACTION`, `…/tunedModels/NAME:ACTION`, `…/models/NAME`,
    /// `…/deployments/NAME/…`, `…/engines/NAME` and `…/model/NAME`.
    ///
    /// The path is read twice: as it is sent, and as the most lenient router reads it. What only the second finds is named
    /// for some readers only.
    init(target: String) {
        self.init()
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = Array(target.utf8[..<(mark ?? target.utf8.endIndex)])
        // Some readers end the target at a fragment, and some do not know one in a request.
        if target.utf8.contains(UInt8(ascii: "#")) { unclear() }
        read(path: path)
        readLeniently(path: Self.decodedToTheEnd(path))
        endPath()
        if let mark { add(FormScanner.candidates(inQuery: target[target.utf8.index(after: mark)...])) }
    }

    /// What two parts of a request come to.
    func joined(with other: ModelCandidates) -> ModelCandidates {
        var joined = self
        joined.add(other)
        return joined
    }

    private mutating func read(path: [UInt8]) {
        let parts = Array(path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false))
        for (index, part) in parts.enumerated().dropFirst() {
            switch String(decoding: parts[index - 1], as: UTF8.self) {
            // Something has to follow the name, if only a slash.
            case "deployments" where index + 1 < parts.count && !part.isEmpty: name(Self.plainName(part))
            case "models", "tunedModels":
                let pieces = part.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                if pieces.count == 2, !pieces[1].isEmpty { name(Self.plainName(pieces[0])) }
            default: break
            }
        }
    }

    /// Reads a path for routers that decode before they part, ignore case and parameters, make one slash of two, or take
    /// the other one for it.
    private mutating func readLeniently(path: [UInt8]) {
        // An escaped question mark begins a query for those who decode first.
        if path.contains(UInt8(ascii: "?")) || path.contains(UInt8(ascii: "#")) { unclear() }
        let parts = path.split { Self.isSlash($0) }.map { $0.prefix { $0 != UInt8(ascii: ";") } }
        var models: (index: Int, isPlain: Bool)?
        for (index, part) in parts.enumerated() {
            if let models, part.contains(UInt8(ascii: ":")) {
                // `a/b:verb` and `a:b:verb` have as many readings as there are routers.
                let pieces = part.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                let isPlain = models.isPlain && models.index == index - 1 && pieces.count == 2 && !pieces[1].isEmpty
                if isPlain { mayName(ModelName.read(pieces[0])) } else { unclear() }
            }
            let word = String(decoding: part, as: UTF8.self).lowercased()
            if word.hasSuffix("models") { models = (index, word == "models" || word == "tunedmodels") }
            if Self.collections.contains(word), index + 1 < parts.count { mayName(ModelName.read(parts[index + 1])) }
        }
        // Without an action the rest of the path is a page about the model at some sellers, and a call of it at others.
        guard let models, models.isPlain else { return }
        let rest = parts[(models.index + 1)...]
        guard !rest.isEmpty, !rest.contains(where: { $0.contains(UInt8(ascii: ":")) }) else { return }
        mayName(ModelName.read(Array(rest.joined(separator: [UInt8(ascii: "/")]))))
    }

    /// Segments in front of a model's name: Azure's, those of OpenAI's first paths, and Bedrock's.
    private static let collections: Set<String> = ["deployments", "engines", "model"]

    private static func isSlash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }

    /// A path with its escapes taken off, and those that they hid.
    private static func decodedToTheEnd(_ path: [UInt8]) -> [UInt8] {
        var path = path
        for _ in 0..<3 where path.contains(UInt8(ascii: "%")) { path = PercentCoding.decode(path) ?? path }
        return path
    }

    /// The name in a segment; nil where readers could take it differently.
    private static func plainName(_ part: ArraySlice<UInt8>) -> String? {
        guard let decoded = PercentCoding.decode(part), !decoded.contains(where: { "/\\:;%?#".utf8.contains($0) })
        else { return nil }
        return ModelName.read(decoded)
    }
}
