import Primitives
import TestSupport
import Testing

@testable import Chain

@Suite("Agreement of endpoints")
struct AgreementTests {
    private func chain(final: UInt64 = 1000) -> FakeChain {
        var chain = FakeChain()
        chain.tags["finalized"] = final
        return chain
    }

    private static var majority: ChainLab.Options {
        var options = ChainLab.Options()
        options.agreement = .majority
        return options
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

    @Test("by majority, one of three endpoints down is told and does not matter")
    func oneOfThree() async throws {
        var options = Self.majority
        options.more = ["http://127.0.0.1:1/"]
        try await ChainLab.run([chain(final: 1001), chain()], options) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.block.number == 1000)
            #expect(reading.leftOut.map(\.endpoint) == ["127.0.0.1:1"])
        }
    }

    @Test(
        "by majority, one of three endpoints that answers nonsense does not count, neither with its block nor with its words"
    )
    func nonsenseOfThree() async throws {
        var foreign = chain(final: 3)
        foreign.chainID = "0x1"
        var empty = chain()
        empty.word = "\"0x\""
        try await ChainLab.run([chain(), foreign, chain()], Self.majority) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.block.number == 1000)
            #expect(reading.leftOut == [EndpointFault(endpoint: lab.name(1), reason: .wrongChain(1))])
        }
        try await ChainLab.run([empty, chain(), chain()], Self.majority) { lab async throws in
            let reading = try await lab.reader.read([Probes.token], at: ChainLab.now)
            #expect(reading.leftOut == [EndpointFault(endpoint: lab.name(0), reason: .badWord, probe: 0)])
        }
        try await ChainLab.run([empty, chain(), empty], Self.majority) { lab async throws in
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
        try await ChainLab.run([chain(), mute, mute], Self.majority) { lab async throws in
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

    @Test("reject- two of three endpoints that lie while the third is down, unless a majority was asked for")
    func twoLiarsOfThree() async throws {
        // The nonce is used, and both say that it is not.
        var honest = chain()
        honest.words[Probes.data(Probes.token)] = Probes.word(UInt256(1))
        for agreement in [nil, ChainAgreement.all, .majority] {
            var options = ChainLab.Options()
            options.agreement = agreement ?? options.agreement
            options.more = ["http://127.0.0.1:1/"]
            try await ChainLab.run([chain(), chain()], options) { lab async throws in
                guard agreement == .majority else {
                    guard case .failure(.tooFewAnswers(2, 3, let faults)) = await lab.outcome() else {
                        Issue.record("two of three endpoints were believed")
                        return
                    }
                    #expect(faults.map(\.endpoint) == ["127.0.0.1:1"])
                    return
                }
                // Two of three are the majority: the guide says that it survives one liar.
                #expect(try await lab.reader.read([Probes.token], at: ChainLab.now).isUsed == [false])
            }
            // While the third one answers, no rule lets the two get through.
            options.more = []
            try await ChainLab.run([chain(), chain(), honest], options) { lab async throws in
                #expect(
                    await lab.outcome()
                        == .failure(
                            .disagreement(block: 1000, camps: [[lab.name(0), lab.name(1)], [lab.name(2)]])))
            }
        }
    }

    /// What a number of endpoints survives under a rule.
    struct Survival: Sendable {
        let count: Int
        let agreement: ChainAgreement
        let liars: Int
        let down: Int
    }

    /// The guide's table.
    static let survivals = [
        Survival(count: 1, agreement: .all, liars: 0, down: 0),
        Survival(count: 1, agreement: .majority, liars: 0, down: 0),
        Survival(count: 2, agreement: .all, liars: 1, down: 0),
        Survival(count: 2, agreement: .majority, liars: 1, down: 0),
        Survival(count: 3, agreement: .all, liars: 2, down: 0),
        Survival(count: 3, agreement: .majority, liars: 1, down: 1),
        Survival(count: 5, agreement: .all, liars: 4, down: 0),
        Survival(count: 5, agreement: .majority, liars: 2, down: 2),
    ]

    @Test(
        "so many endpoints may lie while the others are down, and so many may be down while payments are proven",
        arguments: survivals)
    func survival(_ survival: Survival) async throws {
        func proves(_ answering: Int) async throws -> Bool {
            var options = ChainLab.Options()
            options.agreement = survival.agreement
            options.more = (0..<survival.count - answering).map { "http://127.0.0.1:\($0 + 1)/" }
            var isProven = false
            try await ChainLab.run([FakeChain](repeating: chain(), count: answering), options) { lab async throws in
                isProven = (try? await lab.outcome().get().isUsed) == [false]
            }
            return isProven
        }
        #expect(survival.agreement.liars(of: survival.count) == survival.liars)
        #expect(survival.agreement.down(of: survival.count) == survival.down)
        #expect(try await !proves(survival.liars))
        #expect(try await proves(survival.liars + 1))
        #expect(try await proves(survival.count - survival.down))
        if survival.down < survival.count - 1 {
            #expect(try await !proves(survival.count - survival.down - 1))
        }
    }

    @Test("the guide's table says what each number of endpoints survives")
    func guide() throws {
        let guide = String(decoding: try Vectors.bytes(of: "Specs/guides/chains.md"), as: UTF8.self)
        for survival in Self.survivals where survival.count > 1 || survival.agreement == .all {
            let rule = survival.count == 1 ? "either" : "`\(survival.agreement.rawValue)`"
            let row =
                "| \(survival.count) | \(rule) | \(survival.liars + 1) | \(survival.liars) | \(survival.down) |"
            #expect(guide.contains(row), "\(row)")
        }
    }

    @Test("by majority, an endpoint that stands still for an hour is left out, and by `all` it is named")
    func standstill() async throws {
        func node(_ final: UInt64) -> FakeChain {
            var chain = chain(final: final)
            chain.tags["latest"] = 5000
            return chain
        }
        let now = Timestamp(seconds: 1_700_005_000)
        for (final, isLeftOut) in [(1000, true), (1001, false)] as [(UInt64, Bool)] {
            try await ChainLab.run([node(4601), node(final), node(4601)], Self.majority) { lab async throws in
                let reading = try await lab.outcome(at: now).get()
                #expect(reading.block.number == (isLeftOut ? 4601 : final))
                #expect(reading.leftOut.map(\.endpoint) == (isLeftOut ? [lab.name(1)] : []))
            }
        }
        try await ChainLab.run([node(4601), node(1000)]) { lab async throws in
            let fault = EndpointFault(
                endpoint: lab.name(1), reason: .behind(time: 1_700_001_000, newest: 1_700_004_601))
            #expect(await lab.outcome(at: now) == .failure(.tooFewAnswers(count: 1, needed: 2, faults: [fault])))
        }
    }

    @Test("reject- the same host under another port or spelling, which agrees only with itself")
    func sameHost() async throws {
        func endpoint(_ text: String) throws -> ChainEndpoint { try ChainEndpoint(text) }
        for (one, other) in [
            ("https://rpc.example/a", "https://RPC.example:8443/b"), ("https://8.8.8.8", "https://8.8.8.8:444"),
            ("https://[2001:db8::1]", "https://[2001:0db8:0:0::1]:444"),
            ("https://[::ffff:8.8.8.8]", "https://8.8.8.8/x"), ("http://localhost:1", "http://127.0.0.1:1"),
            ("http://127.0.0.1:1", "http://[::1]:1"), ("http://127.0.0.1:443", "https://localhost"),
        ] {
            #expect(try endpoint(one).isSameMachine(as: endpoint(other)), "\(one) \(other)")
        }
        for (one, other) in [
            ("https://a.rpc.example", "https://b.rpc.example"), ("http://127.0.0.1:1", "http://127.0.0.1:2"),
            ("https://[2001:db8::1]", "https://[2001:db8::2]"),
        ] {
            #expect(try !endpoint(one).isSameMachine(as: endpoint(other)), "\(one) \(other)")
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
