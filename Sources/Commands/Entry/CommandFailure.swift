/// A command that could not do what it was asked for, in the operator's words.
struct CommandFailure: Error, CustomStringConvertible {
    let status: CommandStatus
    let description: String

    init(_ status: CommandStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}
