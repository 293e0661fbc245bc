/// Which name look-ups run and which wait, on a number of threads that several askers share.
///
/// An asker is an agent, or a host that the operator configured. The system's look-up cannot be interrupted: one that
/// nobody waits for any more still has its thread, so it keeps counting for its asker, and no longer for the others. A value
/// without threads and without a clock: its methods return what to start.
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
        /// Look-ups that wait for a thread.
        var waiting = 1024
        /// Threads, those whose look-up nobody waits for included.
        var threads = 64
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
        let asker: String
        var waiters: [Waiter]
    }

    private let limits: Limits
    private var running: [Job: Entry] = [:]
    /// Look-ups that wait, by asker, the oldest first; and the askers, the one whose turn is next first.
    private var waiting: [String: [(job: Job, entry: Entry)]] = [:]
    private var turns: [String] = []
    private var waitingCount = 0
    private var lastJob: Job = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    /// How many look-ups have a thread.
    var threads: Int { running.count }

    /// Asks; false when the asker, or all together, have as many waiting as they may.
    ///
    /// A look-up of the same name that is under way is joined, whoever asked for it; one that waits for a thread only by its
    /// own asker, since it comes in that asker's turn.
    mutating func ask(_ question: Question, by asker: String, waiter: Waiter) -> Bool {
        // One that nobody waits for has been given up: its name server does not answer.
        if let job = running.first(where: { $0.value.question == question && !$0.value.waiters.isEmpty })?.key {
            running[job]?.waiters.append(waiter)
            return true
        }
        var own = waiting[asker] ?? []
        if let index = own.firstIndex(where: { $0.entry.question == question }) {
            own[index].entry.waiters.append(waiter)
            waiting[asker] = own
            return true
        }
        guard own.count < limits.waitingPerAsker, waitingCount < limits.waiting else { return false }
        lastJob += 1
        if own.isEmpty { turns.append(asker) }
        own.append((lastJob, Entry(question: question, asker: asker, waiters: [waiter])))
        waiting[asker] = own
        waitingCount += 1
        return true
    }

    /// The look-ups that begin now, askers in turn.
    mutating func starts() -> [Start] {
        var starts: [Start] = []
        var passed = 0
        while passed < turns.count {
            let asker = turns.removeFirst()
            guard mayRun(asker), var own = waiting[asker], !own.isEmpty else {
                turns.append(asker)
                passed += 1
                continue
            }
            passed = 0
            let (job, entry) = own.removeFirst()
            waitingCount -= 1
            waiting[asker] = own.isEmpty ? nil : own
            if !own.isEmpty { turns.append(asker) }
            running[job] = entry
            starts.append(Start(job: job, question: entry.question))
        }
        return starts
    }

    private func mayRun(_ asker: String) -> Bool {
        let own = running.values.count { $0.asker == asker }
        let free = limits.running - running.values.count { !$0.waiters.isEmpty }
        guard running.count < limits.threads, free > 0, own < limits.perAsker else { return false }
        return free > limits.reserved || own < 2
    }

    /// A look-up has ended; returns who waited for it.
    mutating func ended(_ job: Job) -> [Waiter] { running.removeValue(forKey: job)?.waiters ?? [] }

    /// Somebody waits no longer; a look-up that waits for a thread goes with its last waiter.
    mutating func leave(_ waiter: Waiter) {
        for (job, entry) in running {
            guard let index = entry.waiters.firstIndex(of: waiter) else { continue }
            running[job]?.waiters.remove(at: index)
            return
        }
        for (asker, jobs) in waiting {
            guard let index = jobs.firstIndex(where: { $0.entry.waiters.contains(waiter) }) else { continue }
            var jobs = jobs
            jobs[index].entry.waiters.removeAll { $0 == waiter }
            if jobs[index].entry.waiters.isEmpty {
                jobs.remove(at: index)
                waitingCount -= 1
            }
            waiting[asker] = jobs.isEmpty ? nil : jobs
            if jobs.isEmpty { turns.removeAll { $0 == asker } }
            return
        }
    }
}
