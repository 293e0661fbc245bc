package import Primitives

/// The names that a request's parts give for its model, and what they come to together.
package struct ModelCandidates: Sendable, Equatable {
    private var named: String?
    private var possible: String?
    /// The name in the path, which bodies at some sellers call `models/NAME`.
    private var inPath: String?
    /// Whether something could not be read, or two names differ: then no other part helps.
    package private(set) var isUnclear = false

    /// Nothing was read yet.
    package init() {}

    /// Every reader finds this name here; nil for a name that readers could take differently.
    mutating func name(_ name: String?) {
        guard let name, named == nil || named == name else { return unclear() }
        named = name
    }

    /// Some readers find this name here, and others none; nil for a name that readers could take differently.
    mutating func mayName(_ name: String?) {
        guard let name, possible == nil || possible == name else { return unclear() }
        possible = name
    }

    /// Something here cannot be read.
    mutating func unclear() { isUnclear = true }

    /// What all parts come to: a name that all of them give, none, or unknown.
    package var fact: Fact<String> {
        if isUnclear { return .unknown }
        guard let named else { return possible == nil ? .absent : .unknown }
        return possible == nil || possible == named ? .known(named) : .unknown
    }
}

extension ModelCandidates {
    /// Adds what another part of the request gives.
    mutating func add(_ other: ModelCandidates) {
        if other.isUnclear { unclear() }
        if let name = other.named { self.name(asInPath(name)) }
        if let name = other.possible { mayName(asInPath(name)) }
    }

    /// Takes what was read so far for what the path names.
    mutating func endPath() { inPath = named }

    private func asInPath(_ name: String) -> String {
        inPath.map { name == "models/" + $0 ? $0 : name } ?? name
    }
}
