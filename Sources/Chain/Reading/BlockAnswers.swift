/// What enough endpoints say, and none denies, as of one block.
struct BlockAnswers<Value: Sendable & Equatable>: Sendable {
    let block: ChainBlock
    /// The answers in the order of the questions; nil where too few endpoints gave one that counts.
    let values: [Value?]
    /// What did not count.
    let leftOut: [EndpointFault]

    /// Draws one conclusion out of all endpoints' answers, each of which has to be given by so many of them.
    ///
    /// Throws when they disagree, or when there is none.
    init(
        _ answers: [Result<BlockSnapshot<Value>, EndpointFault>], names: [String], needed: Int
    ) throws(ChainError) {
        var given: [(name: String, snapshot: BlockSnapshot<Value>)] = []
        var leftOut: [EndpointFault] = []
        for (name, answer) in zip(names, answers) {
            switch answer {
            case .success(let snapshot): given.append((name, snapshot))
            case .failure(let fault): leftOut.append(fault)
            }
        }
        guard let first = given.first?.snapshot else { throw .tooFewAnswers(count: 0, needed: 1, faults: leftOut) }
        let camps = BlockSnapshot.camps(given)
        guard camps.count == 1 else { throw .disagreement(block: first.block.number, camps: camps) }
        var values: [Value?] = []
        for index in first.answers.indices {
            var agreed: [Value] = []
            for (name, snapshot) in given {
                switch snapshot.answers[index] {
                case .success(let value): agreed.append(value)
                case .failure(let reason): leftOut.append(EndpointFault(endpoint: name, reason: reason, probe: index))
                }
            }
            values.append(agreed.count >= needed ? agreed.first : nil)
        }
        block = first.block
        self.values = values
        self.leftOut = leftOut
    }
}
