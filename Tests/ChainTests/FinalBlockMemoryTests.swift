import Primitives
import Testing

@testable import Chain

@Suite("Memory of final blocks")
struct FinalBlockMemoryTests {
    private static func block(_ number: UInt64, at time: Int64) -> ChainBlock {
        ChainBlock(number: number, hash: Bytes32(words: (1, 0, 0, number)), time: time)
    }

    @Test("a block follows another when the chain can have made so many in the time between them")
    func rate() {
        var memory = FinalBlockMemory(rate: 20)
        memory.agree(on: Self.block(1000, at: 5000))
        func isPlausible(_ number: UInt64, _ time: Int64) -> Bool {
            (try? memory.check(Self.block(number, at: time))) != nil
        }
        #expect(isPlausible(1000, 5000) && isPlausible(999, 4000))
        // A thousand in no time, then twenty a second.
        #expect(isPlausible(2000, 5000) && !isPlausible(2001, 5000))
        #expect(isPlausible(2020, 5001) && !isPlausible(2021, 5001))
        #expect(isPlausible(.max, .max) && !isPlausible(.max, 5001))
        #expect(!isPlausible(1001, 4999))
    }

    @Test("only a newer block that was agreed on takes the place of another")
    func newest() {
        var memory = FinalBlockMemory()
        memory.agree(on: Self.block(10, at: 10))
        memory.agree(on: Self.block(9, at: 9))
        #expect(memory.agreed?.number == 10)
        memory.agree(on: Self.block(11, at: 11))
        #expect(memory.agreed?.number == 11)
    }

    @Test(
        "the tenth reading in a row that contradicts it makes it forgotten, and one that agrees starts the count again")
    func forgetting() {
        var memory = FinalBlockMemory()
        var now = Timestamp(seconds: 1000)
        func contradict() -> ChainBlock? {
            now = now.adding(seconds: FinalBlockMemory.pace)
            return memory.contradict(at: now)
        }
        #expect(contradict() == nil)
        memory.agree(on: Self.block(10, at: 10))
        for _ in 0..<9 { #expect(contradict() == nil) }
        memory.agree(on: Self.block(10, at: 10))
        for _ in 0..<9 { #expect(contradict() == nil) }
        #expect(contradict()?.number == 10 && memory.agreed == nil)
    }

    @Test("readings of one moment contradict it once, and a clock that was put back does not stop the count")
    func moments() {
        var memory = FinalBlockMemory()
        memory.agree(on: Self.block(10, at: 10))
        for second in 0..<20 as Range<Int64> {
            #expect(memory.contradict(at: Timestamp(seconds: 1000 + second)) == nil)
        }
        #expect(memory.contradictions == 1)
        #expect(memory.contradict(at: Timestamp(seconds: 1020)) == nil && memory.contradictions == 2)
        #expect(memory.contradict(at: Timestamp(seconds: 5)) == nil && memory.contradictions == 3)
    }

    private func chain(_ final: UInt64 = 1000) -> FakeChain {
        var chain = FakeChain()
        chain.tags["finalized"] = final
        return chain
    }

    /// A node that calls a block of the far future final and has it, at a time that is not.
    private func absurd() -> FakeChain {
        var chain = chain()
        let number: UInt64 = 1_000_000_000
        chain.more = { method, parameters in
            guard method == "eth_getBlockByNumber",
                ["finalized", "0x3b9aca00"].contains(parameters.first?.string ?? "")
            else { return nil }
            let time = String(1_700_002_000, radix: 16)
            return #"{"number":"0x3b9aca00","hash":"\#(Bytes32(words: (9, 0, 0, number)))","timestamp":"0x\#(time)"}"#
        }
        return chain
    }

    @Test("one answer with an absurd final block proves nothing and is not remembered")
    func absurdAnswer() async throws {
        try await ChainLab.run([chain()]) { lab async throws in
            #expect(try await lab.outcome().get().block.number == 1000)
            lab.nodes[0].change { $0.more = absurd().more }
            #expect(
                await lab.outcome() == .failure(.implausible(block: 1_000_000_000, after: 1000, rate: 20)))
            lab.nodes[0].change { $0 = chain(1001) }
            #expect(try await lab.outcome().get().block.number == 1001)
        }
    }

    @Test("an endpoint that once named an absurd final block beside an honest one counts in the next reading")
    func absurdOfTwo() async throws {
        var names = chain()
        // Only its word for `finalized` is absurd; it knows the blocks as the other does.
        let word = absurd().more
        names.more = { $0 == "eth_getBlockByNumber" && $1.first?.string == "finalized" ? word($0, $1) : nil }
        try await ChainLab.run([chain(), names]) { lab async throws in
            #expect(try await lab.outcome().get().block.number == 1000)
            lab.nodes[1].change { $0 = chain() }
            #expect(try await lab.outcome().get().block.number == 1000)
        }
    }

    @Test("an absurd block that a lone endpoint begins with is forgotten after ten readings, loudly")
    func absurdBeginning() async throws {
        try await ChainLab.run([absurd()]) { lab async throws in
            #expect(try await lab.outcome().get().block.number == 1_000_000_000)
            lab.nodes[0].change { $0 = chain() }
            func outcome(_ reading: Int64) async -> Result<ChainReading, ChainError> {
                await lab.outcome(at: ChainLab.now.adding(seconds: reading * 30))
            }
            for reading in 1...9 as ClosedRange<Int64> {
                guard case .failure(.tooFewAnswers(_, _, let faults)) = await outcome(reading) else {
                    Issue.record("the absurd block was not remembered")
                    return
                }
                #expect(faults.map(\.reason) == [.wentBack(from: 1_000_000_000, to: 1000)])
            }
            guard case .failure(.forgotten(1_000_000_000, 10, let cause)) = await outcome(10) else {
                Issue.record("the block was not forgotten")
                return
            }
            guard case .tooFewAnswers = cause else {
                Issue.record("\(cause)")
                return
            }
            #expect(try await lab.outcome().get().block.number == 1000)
        }
    }

    @Test("readings of settlements bring no block nearer to being forgotten: what they throw tells nobody")
    func settlements() async throws {
        try await ChainLab.run([absurd()]) { lab async throws in
            #expect(try await lab.outcome().get().block.number == 1_000_000_000)
            lab.nodes[0].change { $0 = chain() }
            for reading in 1...20 as ClosedRange<Int64> {
                let now = ChainLab.now.adding(seconds: reading * 30)
                let fault = EndpointFault(
                    endpoint: lab.name(0), reason: .wentBack(from: 1_000_000_000, to: 1000))
                await #expect(throws: ChainError.tooFewAnswers(count: 0, needed: 1, faults: [fault])) {
                    try await lab.reader.settlement(of: FakeSettlement.question(), at: now)
                }
            }
            #expect(await lab.fault() == .wentBack(from: 1_000_000_000, to: 1000))
        }
    }

    @Test("a chain that is faster than others is read when the configuration says how fast it is")
    func fastChain() async throws {
        for (rate, isRead) in [(20, false), (1000, true)] as [(UInt64, Bool)] {
            var options = ChainLab.Options()
            options.blocksPerSecond = rate
            try await ChainLab.run([chain()], options) { lab async throws in
                #expect(try await lab.outcome().get().block.number == 1000)
                // A hundred thousand blocks in a hundred seconds.
                lab.nodes[0].change { chain in
                    chain.tags = ["finalized": 101_000, "latest": 101_000]
                    chain.genesis = 1_700_001_100 - 101_000
                }
                #expect((await lab.outcome().failure == nil) == isRead)
            }
        }
    }
}
