/// One endpoint's whole answer: a block, and what is used as of it.
struct BlockSnapshot: Sendable, Equatable {
    let block: ChainBlock
    let isUsed: [Bool]

    /// Sorts endpoints by what they say, in the order of their first speakers; one camp means that all agree.
    static func camps(_ answers: [(name: String, snapshot: BlockSnapshot)]) -> [[String]] {
        var camps: [(snapshot: BlockSnapshot, names: [String])] = []
        for (name, snapshot) in answers {
            if let index = camps.firstIndex(where: { $0.snapshot == snapshot }) {
                camps[index].names.append(name)
            } else {
                camps.append((snapshot, [name]))
            }
        }
        return camps.map(\.names)
    }
}
