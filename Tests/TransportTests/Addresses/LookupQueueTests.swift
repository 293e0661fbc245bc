import Testing

@testable import Transport

@Suite("Name look-ups that share threads")
struct LookupQueueTests {
    private static func question(_ host: String) -> LookupQueue.Question { .init(host: host, family: 2) }

    /// Asks for many names; returns how many were taken.
    private static func ask(
        _ names: Range<Int>, by name: String, _ queue: inout LookupQueue
    ) -> Int {
        names.count { queue.ask(question("\(name)-\($0).example"), by: asker(name), waiter: UInt64($0)) }
    }

    /// An agent, by any name.
    private static func asker(_ name: String) -> LookupAsker {
        .agent(ConnectionOwner(high: 7, low: name.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) }))
    }

    @Test("an agent has at most 4 of 16 threads, and 64 of its look-ups wait")
    func share() {
        var queue = LookupQueue()
        let taken = Self.ask(0..<100, by: "scout", &queue)
        let begun = queue.starts().count
        let more = Self.ask(100..<200, by: "scout", &queue)
        let rest = queue.starts().count
        #expect([taken, begun, more, rest] == [64, 4, 4, 0])
    }

    @Test("agents take turns, and the last four threads are for those with less than one name under way")
    func turns() {
        var queue = LookupQueue()
        var begun: [String] = []
        func begin() { begun.append(String(queue.starts().compactMap { $0.question.host.first })) }
        for agent in ["a", "b", "c"] { _ = Self.ask(0..<20, by: agent, &queue) }
        begin()
        for agent in ["d", "e", "f"] {
            _ = Self.ask(0..<20, by: agent, &queue)
            begin()
        }
        #expect(begun == ["abcabcabcabc", "dd", "ee", ""])
        #expect(queue.threads == 16)
    }

    @Test("a look-up that nobody waits for leaves its thread's place to others, and still counts for its agent")
    func abandoned() {
        var queue = LookupQueue()
        var jobs: [UInt64] = []
        for (index, agent) in ["a", "b", "c", "d", "e", "f", "g", "h"].enumerated() {
            for name in 0..<4 {
                _ = queue.ask(
                    Self.question("\(agent)\(name)"), by: Self.asker(agent), waiter: UInt64(index * 10 + name))
            }
            jobs += queue.starts().map(\.job)
        }
        #expect(queue.threads == 16)
        for waiter in 0..<80 { queue.leave(UInt64(waiter)) }
        // Nothing waits any more, and the 16 threads are held by the name servers' silence.
        var begun = [queue.starts().map(\.question.host)]
        for (asker, host) in [("honest", "honest"), ("a", "a9")] {
            _ = queue.ask(Self.question(host), by: Self.asker(asker), waiter: 900)
            begun.append(queue.starts().map(\.question.host))
        }
        for job in jobs {
            let waiters = queue.ended(job)
            #expect(waiters.isEmpty)
        }
        begun.append(queue.starts().map(\.question.host))
        #expect(begun == [[], ["honest"], [], ["a9"]])
    }

    @Test("no more than 64 threads are begun, whoever asks")
    func bounded() {
        var queue = LookupQueue()
        var waiter: UInt64 = 0
        for agent in 0..<200 {
            for name in 0..<4 {
                waiter += 1
                _ = queue.ask(Self.question("\(agent)-\(name)"), by: Self.asker("\(agent)"), waiter: waiter)
            }
            _ = queue.starts()
            for gone in (waiter - 3)...waiter { queue.leave(gone) }
            #expect(queue.threads <= 64)
        }
        #expect(queue.threads == 64)
    }

    @Test("the same name under way is joined by anyone, a waiting one by its own agent, an abandoned one by nobody")
    func joining() throws {
        var queue = LookupQueue()
        func ask(_ host: String, by asker: String, _ waiter: UInt64, family: Int32 = 2) -> [String] {
            _ = queue.ask(.init(host: host, family: family), by: Self.asker(asker), waiter: waiter)
            return queue.starts().map(\.question.host)
        }
        _ = queue.ask(Self.question("x"), by: Self.asker("a"), waiter: 1)
        let starts = queue.starts()
        let first = try #require(starts.first)
        let joined = [ask("x", by: "b", 2), ask("x", by: "b", 3, family: 10)]
        #expect(joined == [[], ["x"]])
        queue.leave(1)
        let waiters = queue.ended(first.job)
        #expect(waiters == [2])
        let own = (0..<6).flatMap { ask("y\($0)", by: "a", UInt64(10 + $0)) }
        #expect(own == ["y0", "y1", "y2", "y3"])
        let waiting = [ask("y5", by: "a", 20), ask("y5", by: "c", 21)]
        #expect(waiting == [[], ["y5"]])
        queue.leave(21)
        let again = ask("y5", by: "d", 22)
        #expect(again == ["y5"])
    }

    @Test(
        "agents without answers from their name servers take no thread from the operator's hosts, waiting or given up")
    func hosts() {
        var queue = LookupQueue()
        var waiter: UInt64 = 0
        func ask(_ host: String, by asker: LookupAsker) -> Int {
            waiter += 1
            return queue.ask(Self.question(host), by: asker, waiter: waiter) ? queue.starts().count : -1
        }
        // All that agents may have runs, and as much waits as may.
        for agent in 0..<40 {
            for name in 0..<64 { _ = ask("\(agent)-\(name)", by: Self.asker("\(agent)")) }
        }
        #expect(queue.threads == 16)
        // Two for each host: one name for IPv4 and IPv6.
        let begun = (0..<12).map { ask("gateway\($0 / 3)-\($0 % 3)", by: .host("gateway\($0 / 3)")) }
        #expect(begun == [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0])
        // Nobody waits any more, for the agents' or the hosts'.
        for gone in 1...waiter { queue.leave(gone) }
        for agent in 100..<200 {
            let first = waiter + 1
            for name in 0..<4 { _ = ask("\(agent)-\(name)", by: Self.asker("\(agent)")) }
            for gone in first...waiter { queue.leave(gone) }
        }
        #expect(queue.threads == 72)
        let later = (0..<40).map { ask("other\($0)", by: .host("other\($0)")) }
        #expect(later == Array(repeating: 1, count: 24) + Array(repeating: 0, count: 16))
        #expect(queue.threads == 96)
    }

    @Test("an agent without a look-up has its turn, however much of other agents' waits")
    func crowded() {
        var queue = LookupQueue()
        for agent in 0..<40 { _ = Self.ask(0..<64, by: "\(agent)", &queue) }
        let taken = Self.ask(0..<9, by: "late", &queue)
        #expect(taken == 2)
    }

    @Test("those that wait for a name join another asker's look-up of it, once that has begun")
    func merged() throws {
        var queue = LookupQueue()
        for name in 0..<4 { _ = queue.ask(Self.question("a\(name)"), by: Self.asker("a"), waiter: UInt64(name)) }
        _ = queue.starts()
        _ = queue.ask(Self.question("x"), by: Self.asker("a"), waiter: 10)
        let none = queue.starts().count
        #expect(none == 0)
        _ = queue.ask(Self.question("x"), by: Self.asker("b"), waiter: 11)
        let start = try #require(queue.starts().first)
        #expect(queue.threads == 5)
        let waiters = queue.ended(start.job).sorted()
        #expect(waiters == [10, 11])
    }

    @Test("hosts may have more where agents leave room, and those who wait for one name are many look-ups to nobody")
    func idle() throws {
        var queue = LookupQueue()
        for host in 0..<9 {
            for name in 0..<5 { _ = queue.ask(Self.question("\(host)-\(name)"), by: .host("\(host)"), waiter: 0) }
        }
        let begun = queue.starts().count
        #expect(begun == 32)
        var second = LookupQueue()
        for waiter in 0..<100_000 as Range<UInt64> {
            _ = second.ask(Self.question("x"), by: .host("x"), waiter: waiter)
        }
        let start = try #require(second.starts().first)
        for waiter in 0..<99_999 as Range<UInt64> { second.leave(waiter) }
        let left = second.ended(start.job)
        #expect(left == [99_999])
    }

    @Test("1024 look-ups of agents wait in all, and one name of each agent besides")
    func waiting() {
        var queue = LookupQueue()
        let taken = (0..<40).map { Self.ask(0..<64, by: "agent \($0)", &queue) }
        #expect(taken == Array(repeating: 64, count: 16) + Array(repeating: 2, count: 24))
    }
}
