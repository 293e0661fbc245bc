/// Input that cannot mean anything, in a sentence for whoever typed it.
package struct OperatorMistake: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, and what is expected.
    package let description: String

    /// Makes a mistake.
    package init(_ description: String) {
        self.description = description
    }
}
