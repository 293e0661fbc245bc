/// One way in which a merchant misbehaves: a name, and a function from a visit to the bytes that answer it.
///
/// What it does in words and what a payer should make of it stands in Specs/misbehaviours.json under the same name.
struct Misbehaviour: Sendable {
    /// From a visit to an answer; the same visit is always answered alike.
    typealias Script = @Sendable (Visit) -> ScriptedAnswer

    /// Lower case with hyphens; the last part of the path.
    let name: String
    /// What answers a visit.
    let script: Script

    /// Makes a case out of a script for all its visits.
    init(_ name: String, _ script: @escaping Script) {
        self.name = name
        self.script = script
    }

    /// The challenge's first entry is spoilt; who pays is served.
    static func entry(
        _ name: String, _ spoil: @escaping @Sendable (inout ScriptedEntry) -> Void
    ) -> Misbehaviour {
        .challenge(name) { spoil(&$0.entries[0]) }
    }

    /// The challenge is spoilt; who pays is served.
    static func challenge(
        _ name: String, _ spoil: @escaping @Sendable (inout ScriptedChallenge) -> Void
    ) -> Misbehaviour {
        .asking(name) { _ in
            var challenge = ScriptedChallenge()
            spoil(&challenge)
            return challenge.answer
        }
    }

    /// Unpaid visits get a scripted answer; who pays is served.
    static func asking(_ name: String, _ script: @escaping Script) -> Misbehaviour {
        Misbehaviour(name) { $0.isPaid ? .served($0) : script($0) }
    }

    /// The challenge is honest, the answer to the payment is not.
    static func paid(_ name: String, _ script: @escaping Script) -> Misbehaviour {
        Misbehaviour(name) { $0.isPaid ? script($0) : ScriptedChallenge().answer }
    }

    /// The challenge is honest, and the answer to the payment another challenge.
    static func again(
        _ name: String, _ spoil: @escaping @Sendable (inout ScriptedChallenge) -> Void
    ) -> Misbehaviour {
        .paid(name) { _ in
            var challenge = ScriptedChallenge()
            spoil(&challenge)
            return challenge.answer
        }
    }

    /// The challenge is honest, and the payment is served with a spoilt receipt.
    static func receipt(
        _ name: String, status: Int = 200, _ spoil: @escaping @Sendable (inout Receipt) -> Void
    ) -> Misbehaviour {
        .paid(name) { visit in
            var receipt = Receipt(visit)
            spoil(&receipt)
            return .http(status, [receipt.line], text: #"{"served":true}"#)
        }
    }

    /// All cases, by group.
    static let all: [Misbehaviour] =
        secondChallenges + failuresBehindPayment + receipts + amounts + prices + sizes + encodings + versions
        + entries + payees + windows + permit2 + extensions + injections + otherAnswers
}
