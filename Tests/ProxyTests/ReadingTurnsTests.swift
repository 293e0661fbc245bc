import Synchronization
import Testing

@testable import Proxy

@Suite("Bodies are read in turn")
struct ReadingTurnsTests {
    /// How many readings run, by agent, and the most that ever did.
    private final class Count: Sendable {
        private let state = Mutex<(now: [String: Int], most: [String: Int])>(([:], [:]))

        func begin(_ agent: String) {
            state.withLock { state in
                state.now[agent, default: 0] += 1
                state.most[agent] = max(state.most[agent, default: 0], state.now[agent, default: 0])
            }
        }

        func end(_ agent: String) { state.withLock { $0.now[agent, default: 0] -= 1 } }

        var most: [String: Int] { state.withLock { $0.most } }
    }

    @Test("one at a time for each agent, whatever the agent has under way, and all of them come to their turn")
    func turns() async throws {
        let (turns, count) = (ReadingTurns(), Count())
        let numbers = await withTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let agent = number % 4 == 0 ? "honest" : "greedy"
                    return await turns.take(by: agent) {
                        count.begin(agent)
                        await Task.yield()
                        count.end(agent)
                        return number
                    }
                }
            }
            return await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(numbers.count == 200)
        #expect(count.most == ["honest": 1, "greedy": 1])
    }

    @Test("an agent whose reading never ends keeps no other one waiting, and a failed reading passes the turn on")
    func independent() async throws {
        struct Failure: Error {}
        let turns = ReadingTurns()
        let (stream, release) = AsyncStream<Void>.makeStream()
        let stuck = Task { await turns.take(by: "stuck") { for await _ in stream {} } }
        let first = await turns.take(by: "honest", { 7 })
        await #expect(throws: Failure.self) {
            try await turns.take(by: "honest", { () async throws -> Int in throw Failure() })
        }
        let second = await turns.take(by: "honest", { 8 })
        #expect(first == 7 && second == 8)
        release.finish()
        await stuck.value
    }
}
