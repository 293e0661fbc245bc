package import Primitives

/// Which policy the books know to be in force.
package enum PolicyInForce: Sendable, Equatable {
    /// The books have never heard of one.
    case unknown
    /// Payments are decided without one, as the operator has said.
    case none
    /// SHA-256 of the file.
    case file(Bytes32)

    /// What comes of putting another one in force.
    package enum Change: Sendable, Equatable {
        /// Nothing is different.
        case unchanged
        /// The entry says so.
        case changed
        /// There is none, the last one was this, and nobody has said that it shall be gone.
        case refused(last: Bytes32)
    }

    /// Decides about the next one; nil for none, which `allowsNone` says is meant.
    package func change(to next: Bytes32?, allowsNone: Bool) -> Change {
        switch (self, next) {
        case (.file(let last), nil): allowsNone ? .changed : .refused(last: last)
        case (.unknown, nil), (.none, nil): .unchanged
        case (.file(let last), let next?): last == next ? .unchanged : .changed
        case (.unknown, .some), (.none, .some): .changed
        }
    }

    /// The entry that puts a policy in force; its subject is the policy's hash, or `none`.
    package static func line(_ policy: Bytes32?, by actor: String) -> JournalLine {
        JournalLine(.policy, subject: policy?.description ?? "none", cause: "in-force", actor: actor)
    }

    /// What such an entry says; nil when it says nothing of the kind.
    package init?(_ line: JournalLine) {
        guard line.kind == .policy else { return nil }
        if line.subject == "none" {
            self = .none
        } else if let hash = Hex.decode(line.subject).flatMap({ Bytes32($0) }) {
            self = .file(hash)
        } else {
            return nil
        }
    }
}
