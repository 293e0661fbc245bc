package import Policy
import SystemCrypto

/// The operator's policy as it was read from a file.
package struct PolicyFile: Sendable {
    /// Where it was read.
    package let path: String
    /// Its rules, and its name in the books.
    package let snapshot: PolicySnapshot

    /// Reads the text of a policy file, and all that is wrong with it; `file` is shown in front of each mistake, and
    /// `table` says what tokens tests may name.
    package static func parse(
        text: String, file: String, table: AssetTable
    ) -> Result<PolicyRules, ConfigurationErrors> {
        var parser = PolicyParser(table: table)
        let rules = parser.parse(text)
        guard let rules, parser.reader.mistakes.isEmpty else {
            return .failure(ConfigurationErrors(file: file, mistakes: parser.reader.mistakes))
        }
        return .success(rules)
    }

    /// Reads a file of at most 1 MiB that nobody but this user and root can change.
    ///
    /// Throws ``StateDirectoryError`` where it cannot be read, and ``ConfigurationErrors`` where it is wrong.
    package init(path: String, table: AssetTable) throws {
        let text = try FileSystem.readText(path)
        let rules = try Self.parse(text: text, file: path, table: table).get()
        self.path = path
        snapshot = PolicySnapshot(rules: rules, hash: SHA256.hash(Array(text.utf8)))
    }
}

extension StateDirectory {
    /// The policy.
    package var policyFile: String { path("policy.yaml") }

    /// The policy that a daemon would serve with; nil where there is no file, which `isNoneMeant` says is right.
    ///
    /// Throws what ``PolicyFile/init(path:table:)`` does, ``PolicyTestsFailed`` where its own tests fail, and
    /// ``PolicyPresenceError/contradiction(file:)``. Whatever has the file's name counts as one: a link to nowhere is a
    /// mistake, not the absence of rules.
    package func loadPolicy(_ table: AssetTable, isNoneMeant: Bool) throws -> PolicyFile? {
        guard FileSystem.hasName(policyFile) else { return nil }
        guard !isNoneMeant else { throw PolicyPresenceError.contradiction(file: policyFile) }
        let file = try PolicyFile(path: policyFile, table: table)
        let failures = file.snapshot.rules.failures
        guard failures.isEmpty else { throw PolicyTestsFailed(file: file.path, failures: failures) }
        return file
    }
}

/// A policy whose own tests fail, which is not served with.
package struct PolicyTestsFailed: Error, Sendable, CustomStringConvertible {
    /// The file's name as it is shown.
    package let file: String
    /// The tests, at least one.
    package let failures: [PolicyTestFailure]

    /// Makes an error.
    package init(file: String, failures: [PolicyTestFailure]) {
        self.file = file
        self.failures = failures
    }

    /// One line for each test.
    package var description: String { failures.map { "\(file): \($0)" }.joined(separator: "\n") }
}
