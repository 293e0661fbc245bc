/// Which name look-ups run and which wait, on a number of threads that several askers share.
///
/// The system's look-up cannot be interrupted: one that nobody waits for any more still has its thread, so it keeps counting
/// for its asker, and no longer for the others. Hosts that the operator configured have threads of their own, so that no number
/// of agents can take the gateways' away. A value without threads and without a clock: its methods return what to
/// start. Apart from the askers, of which each is passed once a round, every operation takes constant time or time by the
/// look-ups of one asker.
struct LookupQueue {
    /// What is shared out.
    struct Limits {
        /// Look-ups that run while somebody waits for them.
        var running = 16
        /// Of those, places for askers that have fewer than two running: one name takes two, for IPv4 and IPv6.
        var reserved = 4
        /// Look-ups of one asker that run, those that nobody waits for included.
        var perAsker = 4
        /// Look-ups of one asker that wait for a thread.
        var waitingPerAsker = 64
        /// Look-ups of agents that wait for a thread; beyond them an agent may have one name waiting.
        var waiting = 1024
        /// Threads for agents, those whose look-up nobody waits for included.
        var threads = 64
        /// Threads for hosts that the operator configured: each has one name at once from them, and more where agents leave
        /// room.
        var threadsForHosts = 32
    }

    /// What is looked up.
    struct Question: Hashable {
        let host: String
        /// The address family, as the system numbers it.
        let family: Int32
    }

    /// Names one call that waits for an answer.
    typealias Waiter = UInt64
    /// Names one look-up.
    typealias Job = UInt64

    /// A look-up that begins now.
    struct Start: Equatable {
        let job: Job
        let question: Question
    }

    private struct Entry {
        let question: Question
        let asker: LookupAsker
        var isRunning = false
        var waiters: Set<Waiter>
    }

    /// How many look-ups have a thread, and how many of those somebody waits for.
    private struct Running {
        var threads = 0
        var awaited = 0
    }

    private let limits: Limits
    private var entries: [Job: Entry] = [:]
    /// Which look-up each waits for.
    private var jobs: [Waiter: Job] = [:]
    /// The look-ups that run and may be joined.
    private var joinable: [Question: Job] = [:]
    /// Look-ups that wait, by asker, the oldest first; and the askers, the one whose turn is next first.
    private var waiting: [LookupAsker: [Job]] = [:]
    private var turns: [LookupAsker] = []
    private var waitingOfAgents = 0
    private var threadsByAsker: [LookupAsker: Int] = [:]
    /// What runs for agents, and for hosts that the operator configured.
    private var forAgents = Running()
    private var forHosts = Running()
    private var lastJob: Job = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    /// How many look-ups have a thread.
    var threads: Int { forAgents.threads + forHosts.threads }

    /// Asks; false when the asker, or all agents together, have as many waiting as they may.
    ///
    /// A look-up of the same name that is under way is joined, no matter who asked for it; one that waits for a thread only
    /// by its own asker, since it comes in that asker's turn.
    mutating func ask(_ question: Question, by asker: LookupAsker, waiter: Waiter) -> Bool {
        let own = waiting[asker] ?? []
        if let job = joinable[question] ?? own.first(where: { entries[$0]?.question == question }) {
            entries[job]?.waiters.insert(waiter)
            jobs[waiter] = job
            return true
        }
        let isFull = asker.isAgent && own.count >= 2 && waitingOfAgents >= limits.waiting
        guard own.count < limits.waitingPerAsker, !isFull else { return false }
        lastJob += 1
        if own.isEmpty { turns.append(asker) }
        waiting[asker, default: []].append(lastJob)
        entries[lastJob] = Entry(question: question, asker: asker, waiters: [waiter])
        jobs[waiter] = lastJob
        if asker.isAgent { waitingOfAgents += 1 }
        return true
    }

    /// The look-ups that begin now, askers in turn.
    mutating func starts() -> [Start] {
        var starts: [Start] = []
        var passed = 0
        while passed < turns.count {
            let asker = turns.removeFirst()
            if let job = waiting[asker]?.first, let running = entries[job].flatMap({ joinable[$0.question] }) {
                // Another asker's look-up of that name has begun meanwhile.
                join(job, to: running)
                stopWaiting(job, of: asker)
                if waiting[asker] != nil { turns.append(asker) }
                passed = 0
                continue
            }
            guard mayRun(asker), let job = waiting[asker]?.first, let question = entries[job]?.question else {
                turns.append(asker)
                passed += 1
                continue
            }
            passed = 0
            stopWaiting(job, of: asker)
            if waiting[asker] != nil { turns.append(asker) }
            entries[job]?.isRunning = true
            joinable[question] = job
            threadsByAsker[asker, default: 0] += 1
            count(asker) { $0.threads += 1 }
            count(asker) { $0.awaited += 1 }
            starts.append(Start(job: job, question: question))
        }
        return starts
    }

    private mutating func count(_ asker: LookupAsker, _ change: (inout Running) -> Void) {
        if asker.isAgent { change(&forAgents) } else { change(&forHosts) }
    }

    private func mayRun(_ asker: LookupAsker) -> Bool {
        let own = threadsByAsker[asker] ?? 0
        let free = limits.running - forAgents.awaited
        guard own < limits.perAsker else { return false }
        if !asker.isAgent { return forHosts.threads < limits.threadsForHosts && (own < 2 || free > limits.reserved) }
        return forAgents.threads < limits.threads && free > 0 && (own < 2 || free > limits.reserved)
    }

    /// Lets those that wait for one look-up wait for another one of the same name.
    private mutating func join(_ job: Job, to running: Job) {
        for waiter in entries[job]?.waiters ?? [] {
            jobs[waiter] = running
            entries[running]?.waiters.insert(waiter)
        }
        entries[job] = nil
    }

    /// Takes a look-up out of those that wait.
    private mutating func stopWaiting(_ job: Job, of asker: LookupAsker) {
        waiting[asker]?.removeAll { $0 == job }
        if waiting[asker]?.isEmpty == true { waiting[asker] = nil }
        if asker.isAgent { waitingOfAgents -= 1 }
    }

    /// A look-up has ended; returns who waited for it.
    mutating func ended(_ job: Job) -> [Waiter] {
        guard let entry = entries.removeValue(forKey: job) else { return [] }
        if joinable[entry.question] == job { joinable[entry.question] = nil }
        for waiter in entry.waiters { jobs[waiter] = nil }
        if let own = threadsByAsker[entry.asker] { threadsByAsker[entry.asker] = own > 1 ? own - 1 : nil }
        count(entry.asker) { $0.threads -= 1 }
        if !entry.waiters.isEmpty { count(entry.asker) { $0.awaited -= 1 } }
        return Array(entry.waiters)
    }

    /// Somebody waits no longer; a look-up that waits for a thread goes with its last waiter.
    mutating func leave(_ waiter: Waiter) {
        guard let job = jobs.removeValue(forKey: waiter) else { return }
        entries[job]?.waiters.remove(waiter)
        guard let entry = entries[job], entry.waiters.isEmpty else { return }
        guard !entry.isRunning else {
            // It has been given up: its name server does not answer.
            if joinable[entry.question] == job { joinable[entry.question] = nil }
            return count(entry.asker) { $0.awaited -= 1 }
        }
        entries[job] = nil
        stopWaiting(job, of: entry.asker)
        if waiting[entry.asker] == nil { turns.removeAll { $0 == entry.asker } }
    }
}
