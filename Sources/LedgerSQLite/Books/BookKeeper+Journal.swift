import GRDB
import Ledger
import Primitives

/// What accountants and the daemon's housekeeping add to the journal.
extension BookKeeper {
    /// Books money that came into a wallet or left it without a payment.
    func adjust(_ adjustment: Adjustment, by actor: String, at now: Timestamp) throws(Fault) {
        try write(.adjusted(adjustment, by: actor), at: time(at: now))
    }

    /// Gives a notice, unless the same was given less than an hour ago; false then.
    func notice(_ cause: String, about subject: String, detail: String?, at now: Timestamp) throws(Fault) -> Bool {
        let time = time(at: now)
        let last = try EntryRows.lastNotice(cause, about: subject, in: database)
        if let last, time.seconds - last.seconds < JournalLine.noticePause { return false }
        try write(JournalLine(.notice, subject: subject, cause: cause, detail: detail), at: time)
        return true
    }

    /// Books a signed checkpoint.
    ///
    /// What was due may have been overtaken by an entry that took its time before midnight.
    func add(_ checkpoint: Checkpoint, at now: Timestamp) throws(Fault) {
        let statement = checkpoint.statement
        let page = try EntryRows.page(from: statement.entries, limit: 2, in: database)
        let signed = try EntryRows.newest(.checkpoint, limit: 1, in: database).first.flatMap { Checkpoint($0.line) }
        guard statement.closes(page.first, next: page.dropFirst().first, signed: signed?.statement) else {
            throw .step(.unsound(Checkpoint.overtaken))
        }
        try write(checkpoint.line, at: time(at: now))
    }

    /// Erases what may be erased of closed payments that were reserved before a time; returns how many.
    func erase(before bound: Timestamp, by actor: String, at now: Timestamp) throws(Fault) -> Int {
        let end = try EntryRows.first(since: bound, table: "payments", column: "reserved_at", in: database)
        var numbers: [Int64] = []
        do {
            var query = try Prepared(
                "SELECT number FROM payments WHERE number < ? AND salt IS NOT NULL AND NOT \(PaymentRows.openStates)",
                in: database)
            query.bind(end)
            while try query.step() { numbers.append(query.integer()) }
        }
        guard !numbers.isEmpty else { return 0 }
        for number in numbers {
            var row = try Prepared(
                """
                UPDATE payments SET salt = NULL, method = NULL, url = NULL, model = NULL, fingerprint = NULL,
                    accepted = NULL, resource = NULL, extensions = NULL, offer = NULL
                WHERE number = ?
                """, in: database)
            row.bind(number)
            try row.run()
            try EvidenceRows.erase(of: number, in: database)
        }
        try write(.erased(numbers.count, before: bound, by: actor), at: time(at: now))
        return numbers.count
    }
}
