import Primitives
import Testing

@testable import Chain

@Suite("Agreement of endpoints")
struct AgreementTests {
    private func chain(final: UInt64 = 1000) -> FakeChain {
        var chain = FakeChain()
        chain.tags["finalized"] = final
        return chain
    }

    @Test("endpoints that are blocks apart are all asked about the lowest final block")
    func lowest() async throws {
        try await ChainLab.run([chain(final: 1002), chain(final: 1000), chain(final: 1001)]) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.block.number == 1000)
            for node in lab.nodes { #expect(node.requests[1].contains("[\"0x3e8\",false]")) }
        }
    }

    @Test("reject- two endpoints that disagree about the block's hash")
    func hash() async throws {
        var other = chain()
        other.branch = 2
        try await ChainLab.run([chain(), other]) { lab async throws in
            #expect(
                await lab.outcome() == .failure(.disagreement(block: 1000, camps: [[lab.name(0)], [lab.name(1)]])))
        }
    }

    @Test("reject- two endpoints that disagree about the block's time")
    func time() async throws {
        var other = chain()
        other.genesis += 1
        try await ChainLab.run([chain(), other]) { lab async throws in
            #expect(
                await lab.outcome() == .failure(.disagreement(block: 1000, camps: [[lab.name(0)], [lab.name(1)]])))
        }
    }

    @Test("reject- one endpoint of three that says used where the others say unused, and the other way round")
    func word() async throws {
        var liar = chain()
        liar.words[Probes.data(Probes.token)] = Probes.word(UInt256(1))
        try await ChainLab.run([chain(), liar, chain()]) { lab async throws in
            let outcome = await lab.outcome()
            #expect(
                outcome
                    == .failure(.disagreement(block: 1000, camps: [[lab.name(0), lab.name(2)], [lab.name(1)]])))
            guard case .failure(let error) = outcome else { return }
            #expect(error.description.contains("\(lab.name(0)) and \(lab.name(2)) against \(lab.name(1))"))
            #expect(!error.description.contains("0123456789abcdef"))
        }
        try await ChainLab.run([liar, liar, chain()]) { lab async throws in
            #expect(
                await lab.outcome()
                    == .failure(.disagreement(block: 1000, camps: [[lab.name(0), lab.name(1)], [lab.name(2)]])))
        }
    }

    @Test("reject- one of two endpoints down: both must answer")
    func oneOfTwo() async throws {
        var options = ChainLab.Options()
        options.more = ["http://127.0.0.1:1/secret-path"]
        try await ChainLab.run([chain()], options) { lab async throws in
            guard case .failure(let error) = await lab.outcome() else {
                Issue.record("one endpoint of two was believed")
                return
            }
            guard case .tooFewAnswers(1, 2, let faults) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(faults.map(\.endpoint) == ["127.0.0.1:1"])
            #expect(error.description.contains("127.0.0.1:1 could not be reached"))
            #expect(!error.description.contains("secret"))
        }
    }

    @Test("one of three endpoints down is told and does not matter")
    func oneOfThree() async throws {
        var options = ChainLab.Options()
        options.more = ["http://127.0.0.1:1/"]
        try await ChainLab.run([chain(final: 1001), chain()], options) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.block.number == 1000)
            #expect(reading.leftOut.map(\.endpoint) == ["127.0.0.1:1"])
        }
    }

    @Test("one of three endpoints that answers nonsense does not count, neither with its block nor with its words")
    func nonsenseOfThree() async throws {
        var foreign = chain(final: 3)
        foreign.chainID = "0x1"
        var empty = chain()
        empty.word = "\"0x\""
        try await ChainLab.run([chain(), foreign, chain()]) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.block.number == 1000)
            #expect(reading.leftOut == [EndpointFault(endpoint: lab.name(1), reason: .wrongChain(1))])
        }
        try await ChainLab.run([empty, chain(), chain()]) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.leftOut == [EndpointFault(endpoint: lab.name(0), reason: .badWord, probe: 0)])
        }
        try await ChainLab.run([empty, chain(), empty]) { lab async throws in
            guard case .failure(.tooFewAnswers(1, 2, let faults)) = await lab.outcome() else {
                Issue.record("one endpoint of three was believed")
                return
            }
            #expect(faults.map(\.endpoint) == [lab.name(0), lab.name(2)])
        }
    }

    @Test("a probe that only one of three endpoints could read has no answer, the others have")
    func loneAnswer() async throws {
        var mute = chain()
        mute.words[Probes.data(Probes.make(1, .eip3009))] = "\"0x\""
        try await ChainLab.run([chain(), mute, mute]) { lab async throws in
            let reading = try await lab.reader.read([Probes.token, Probes.make(1, .eip3009)], at: ChainLab.now)
            #expect(reading.isUsed == [false, nil])
            #expect(reading.leftOut.map(\.endpoint) == [lab.name(1), lab.name(2)])
        }
    }

    @Test("reject- two that contradict each other, whatever the one before them left out")
    func hiddenContradiction() async throws {
        let second = Probes.make(1, .eip3009)
        var (mute, liar) = (chain(), chain())
        mute.words[Probes.data(Probes.token)] = "\"0x\""
        liar.words[Probes.data(Probes.token)] = Probes.word(UInt256(1))
        try await ChainLab.run([mute, chain(), liar]) { lab async throws in
            #expect(
                await lab.outcome([Probes.token, second])
                    == .failure(.disagreement(block: 1000, camps: [[lab.name(0), lab.name(1)], [lab.name(2)]])))
        }
    }

    @Test("reject- lists of endpoints that could prove nothing")
    func lists() async throws {
        try await ChainLab.run([chain()]) { lab async throws in
            func make(_ urls: [String], _ finality: ChainFinality = .safe) throws(ChainError) {
                let endpoints = urls.compactMap { try? ChainEndpoint($0) }
                _ = try ChainReader(chainID: 1, endpoints: endpoints, finality: finality, client: lab.client)
            }
            #expect(throws: ChainError.endpointCount(limit: 8)) { try make([]) }
            #expect(throws: ChainError.endpointCount(limit: 8)) { try make((0..<9).map { "https://r\($0).example" }) }
            #expect(throws: ChainError.repeatedEndpoint("r.example")) {
                try make(["https://r.example/a", "https://r.example/b"])
            }
            #expect(throws: ChainError.finality) { try make(["https://r.example"], .confirmations(0)) }
        }
    }
}
