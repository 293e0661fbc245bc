/// Everything that is wrong with a configuration file, in the order of its lines.
package struct ConfigurationErrors: Error, Equatable, Sendable {
    /// One mistake.
    package struct Mistake: Equatable, Sendable {
        /// The line it stands in, from 1.
        package let line: Int
        /// The key it belongs to, from the top: `gateways.lab.url`; empty where there is none.
        package let key: String
        /// What is wrong, and how to put it right where that is not obvious.
        package let message: String

        /// Makes a mistake.
        package init(line: Int, key: String, message: String) {
            self.line = line
            self.key = key
            self.message = message
        }
    }

    /// The file's name as it is shown.
    package let file: String
    /// The mistakes, at least one.
    package let mistakes: [Mistake]

    /// Gathers mistakes; they are sorted by line.
    package init(file: String, mistakes: [Mistake]) {
        self.file = file
        // The order within a line is that of the reading, which a plain sort would not keep.
        self.mistakes = mistakes.enumerated()
            .sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
            .map(\.element)
    }
}

extension ConfigurationErrors: CustomStringConvertible {
    /// One line for each mistake: `config.yaml:12: gateways.lab.url: …`.
    package var description: String {
        mistakes.map { mistake in
            let key = mistake.key.isEmpty ? "" : "\(mistake.key): "
            return "\(file):\(mistake.line): \(key)\(mistake.message)"
        }.joined(separator: "\n")
    }
}
