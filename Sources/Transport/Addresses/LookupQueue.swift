/// Which name look-ups run and which wait, on a number of threads that several askers share.
///
/// The system's look-up cannot be interrupted: one that nobody waits for any more still has its thread, so it keeps counting
/// for its asker, and no longer for the others. Some threads are for hosts that the operator configured alone, so that no
/// number of agents can take the gateways' away. A value without threads and without a clock: its methods return what to
/// start. Apart from the askers, of which each is passed once a round, every operation takes constant time or time by the
/// look-ups of one asker.
struct LookupQueue {
    /// What is shared out.
    struct Limits {
        /// Look-ups that run while somebody waits for them.
        var running = 16
        /// Of those, places for askers that have fewer than two running: one name takes two, for IPv4 and IPv6.
        var reserved = 4
        /// Look-ups that run besides, for hosts that the operator configured.
        var runningForHosts = 4
        /// Look-ups of one asker that run, those that nobody waits for included.
        var perAsker = 4
        /// Look-ups of one asker that wait for a thread.
        var waitingPerAsker = 64
        /// Look-ups of agents that wait for a thread.
        var waiting = 1024
        /// Threads, those whose look-up nobody waits for included.
        var threads = 64
        /// Threads besides, for hosts that the operator configured.
        var threadsForHosts = 8
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
        guard own.count < limits.waitingPerAsker, !asker.isAgent || waitingOfAgents < limits.waiting else {
            return false
        }
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
        guard own < limits.perAsker else { return false }
        if !asker.isAgent, forHosts.awaited < limits.runningForHosts, forHosts.threads < limits.threadsForHosts {
            return true
        }
        // What runs for hosts beyond their own places is counted with the agents'.
        let besides = max(0, forHosts.awaited - limits.runningForHosts)
        let free = limits.running - forAgents.awaited - besides
        guard threads < limits.threads + min(forHosts.threads, limits.threadsForHosts), free > 0 else { return false }
        return free > limits.reserved || own < 2
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
