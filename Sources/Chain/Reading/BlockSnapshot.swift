/// One endpoint's whole answer: a block, and what contracts say as of it.
struct BlockSnapshot<Value: Sendable & Equatable>: Sendable, Equatable {
    let block: ChainBlock
    /// What each question was answered with, or why that does not count.
    let answers: [Result<Value, EndpointFault.Reason>]

    /// Whether nothing that one of the two says is contradicted by the other; an answer that is missing says nothing.
    func agrees(with other: BlockSnapshot) -> Bool {
        block == other.block
            && zip(answers, other.answers).allSatisfy { pair in
                guard case (.success(let left), .success(let right)) = pair else { return true }
                return left == right
            }
    }

    /// Sorts endpoints by what they say, in the order of their first speakers; one camp means that all agree.
    static func camps(_ answers: [(name: String, snapshot: BlockSnapshot)]) -> [[String]] {
        var camps: [[(name: String, snapshot: BlockSnapshot)]] = []
        for answer in answers {
            // With every member: one that leaves an answer out may stand between two that contradict each other.
            if let index = camps.firstIndex(where: { $0.allSatisfy { $0.snapshot.agrees(with: answer.snapshot) } }) {
                camps[index].append(answer)
            } else {
                camps.append([answer])
            }
        }
        return camps.map { $0.map(\.name) }
    }
}
