/// Of which other agents a gateway accepted payments since an agent was paused there.
///
/// Two names are as good as all: what is asked is only whether one of them differs from a given name.
package enum AcceptedAgents: Sendable, Equatable {
    /// Of none.
    case none
    /// Of this one alone.
    case only(String)
    /// Of two or more.
    case several

    /// Adds an agent.
    package mutating func add(_ agent: String) {
        switch self {
        case .none: self = .only(agent)
        case .only(agent), .several: break
        case .only: self = .several
        }
    }

    /// Whether adding an agent makes a difference.
    package func isChanged(by agent: String) -> Bool {
        switch self {
        case .none: true
        case .only(let name): name != agent
        case .several: false
        }
    }

    /// Whether one of them is not the agent of this name.
    package func includesOther(than agent: String) -> Bool {
        switch self {
        case .none: false
        case .only(let name): name != agent
        case .several: true
        }
    }
}
