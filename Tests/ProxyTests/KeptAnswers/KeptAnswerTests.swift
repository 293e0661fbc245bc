import NIOCore
import Primitives
import Synchronization
import Testing

@testable import Proxy

@Suite("Answers that are kept")
struct KeptAnswerTests {
    private let agents = ActiveAgents { NIODeadline.now().milliseconds }
    private var agent: ActiveAgent { agents.agent(named: "scout") }

    private static func bytes(_ count: Int, _ byte: UInt8 = 0x61) -> ByteBuffer {
        ByteBuffer(repeating: byte, count: count)
    }

    private static func text(_ buffers: [ByteBuffer]) -> String { buffers.map { String(buffer: $0) }.joined() }

    @Test("what is kept is a copy: a slice of a large buffer does not hold it, and memory is at most twice the bytes")
    func compact() {
        let large = ByteBuffer(repeating: 0x62, count: 1 << 20)
        var kept = KeptBytes()
        var expected = 0
        for index in 0..<500 {
            let length = 1 + index * 7 % 900
            guard let slice = large.getSlice(at: index, length: length) else { continue }
            let growth = kept.growth(for: length)
            let before = kept.capacity
            kept.append(slice)
            expected += length
            #expect(kept.capacity == before + growth)
            #expect(kept.byteCount == expected)
            #expect(kept.capacity <= max(1024, 2 * expected))
            #expect(kept.capacity == kept.buffers.reduce(0) { $0 + $1.storageCapacity })
        }
        #expect(Self.text(kept.shared()) == String(repeating: "b", count: expected))
    }

    @Test("what a reader has is not written to, and order is kept")
    func shared() {
        var kept = KeptBytes()
        kept.append(ByteBuffer(string: "head"))
        let early = kept.shared()
        kept.append(ByteBuffer(string: "more"))
        #expect(Self.text(early) == "head")
        #expect(Self.text(kept.shared()) == "headmore")
        #expect(kept.capacity == kept.buffers.reduce(0) { $0 + $1.storageCapacity })
    }

    @Test("an old answer that stays does not make memory grow with those that come and go after it")
    func longLived() {
        let memory = KeptMemory(limits: KeptAnswerLimits(), agents: agents)
        let old = KeptAnswer(head: ByteBuffer(string: "old"), of: agent, in: memory) {}
        for _ in 0..<10_000 { _ = KeptAnswer(head: ByteBuffer(string: "short"), of: agent, in: memory) {} }
        #expect(memory.count == 1 && memory.remembered < 2000)
        #expect(old.isWhole)
    }

    @Test("an answer has its head and its body from the first byte on, and gives its memory back")
    func contents() throws {
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 10_000, total: 100_000), agents: agents)
        var answer: KeptAnswer? = KeptAnswer(head: ByteBuffer(string: "HEAD"), of: agent, in: memory) {}
        #expect(answer?.contents()?.body.isEmpty == true)
        answer?.append(ByteBuffer(string: "one"))
        answer?.append(Self.bytes(3000))
        let contents = try #require(answer?.contents())
        #expect(String(buffer: contents.head) == "HEAD")
        #expect(Self.text(contents.body) == "one" + String(repeating: "a", count: 3000))
        #expect(memory.used >= 3007 && memory.count == 1)
        answer = nil
        #expect(memory.used == 0 && memory.count == 0)
    }

    @Test("an answer beyond its limit is dropped whole, and says so once")
    func tooLong() {
        let drops = Mutex(0)
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 1000, total: 100_000), agents: agents)
        let answer = KeptAnswer(head: Self.bytes(100), of: agent, in: memory) { drops.withLock { $0 += 1 } }
        answer.append(Self.bytes(900))
        #expect(answer.isWhole)
        answer.append(Self.bytes(1))
        #expect(!answer.isWhole && answer.contents() == nil)
        answer.append(Self.bytes(1))
        #expect(memory.used == 0 && memory.count == 0 && drops.withLock { $0 } == 1)
    }

    @Test("where an agent may have no more its oldest answer makes room, and the last quarter stays free")
    func oldestFirst() {
        let dropped = Mutex<[Int]>([])
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 1 << 20, total: 64 << 10), agents: agents)
        let answers = (0..<6).map { index in
            KeptAnswer(head: Self.bytes(8 << 10), of: agent, in: memory) { dropped.withLock { $0.append(index) } }
        }
        #expect(memory.used == 48 << 10 && answers.allSatisfy { $0.isWhole })
        answers[5].append(Self.bytes(9 << 10))
        #expect(dropped.withLock { $0 } == [0, 1] && memory.used <= 48 << 10)
        // The oldest of all that are left finds nobody older.
        answers[2].append(Self.bytes(20 << 10))
        #expect(!answers[2].isWhole && dropped.withLock { $0 } == [0, 1, 2])
        #expect(answers.count { $0.isWhole } == 3 && memory.count == 3)
    }

    @Test("an agent's answers do not push out another's within its share, and give back what they borrowed")
    func apart() {
        let start = NIODeadline.now()
        func later(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }
        let (honest, hostile) = (agents.agent(named: "honest"), agents.agent(named: "hostile"))
        for agent in [honest, hostile] { agent.requestBegan(at: start.milliseconds) }
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 1 << 20, total: 64 << 10), agents: agents)
        func keep(_ agent: ActiveAgent, _ count: Int, at now: NIODeadline) -> [KeptAnswer] {
            (0..<count).map { _ in KeptAnswer(head: Self.bytes(8 << 10), of: agent, in: memory, at: now) {} }
        }
        let mine = keep(honest, 3, at: later(0))
        let theirs = keep(hostile, 20, at: later(1))
        #expect(mine.allSatisfy { $0.isWhole })
        // The hostile agent has borrowed up to the last quarter only: its own oldest made room.
        #expect(theirs.count { $0.isWhole } == 4 && theirs.suffix(4).allSatisfy { $0.isWhole })
        let more = keep(honest, 1, at: later(2))
        #expect((mine + more).allSatisfy { $0.isWhole } && memory.used == 64 << 10)
        // What is borrowed and still grows is not taken; the agent's own oldest goes then.
        let third = agents.agent(named: "third")
        third.requestBegan(at: later(3).milliseconds)
        #expect(keep(third, 1, at: later(3)).allSatisfy { !$0.isWhole })
        #expect(keep(third, 1, at: later(12)).allSatisfy { $0.isWhole })
        #expect((mine + more + theirs).count { $0.isWhole } == 7)
    }

    @Test("with memory for nothing, nothing is kept")
    func noMemory() {
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 1 << 20, total: 512), agents: agents)
        let answer = KeptAnswer(head: Self.bytes(600), of: agent, in: memory) {}
        #expect(!answer.isWhole && memory.used == 0)
    }

    @Test("many loops at once never take more than all may have")
    func parallel() async {
        let memory = KeptMemory(limits: KeptAnswerLimits(each: 1 << 20, total: 256 << 10), agents: agents)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<50 {
                        let answer = KeptAnswer(head: Self.bytes(300), of: agent, in: memory) {}
                        for _ in 0..<40 {
                            answer.append(Self.bytes(2000))
                            if memory.used > 256 << 10 { Issue.record("\(memory.used) bytes are used") }
                        }
                    }
                }
            }
        }
        #expect(memory.used == 0 && memory.count == 0)
    }
}
