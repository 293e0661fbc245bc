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

    /// Writes those warnings down that were not given less than an hour ago, and returns them; `time` is ledger time.
    func warn(_ warnings: [CapWarning], at time: Timestamp) throws(Fault) -> [CapWarning] {
        var given: [CapWarning] = []
        for warning in warnings {
            let isRepeated = try EntryRows.hasNotice(
                warning.cause, about: warning.usage.cap.scope.description, in: database,
                since: time.seconds - JournalLine.noticePause
            ) { warning.isGiven(by: $0) }
            guard !isRepeated else { continue }
            try write(.warning(warning), at: time)
            given.append(warning)
        }
        return given
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

    /// Erases the names of routes whose last rejection came before a time.
    func forgetRoutes(before bound: Timestamp) throws(Fault) {
        for gateway in try RejectionRows.all(in: database).keys {
            try known.changeRejections(at: gateway, in: database) { $0.forgetRoutes(before: bound) }
        }
    }

    /// Erases what may be erased of some payments, by their numbers, as far as they are closed; returns how many there were.
    func erase(
        _ numbers: [Int64], before bound: Timestamp, by actor: String, at now: Timestamp
    ) throws(Fault) -> Int {
        var count = 0
        for number in numbers {
            do {
                var row = try Prepared(
                    """
                    UPDATE payments SET salt = NULL, method = NULL, url = NULL, model = NULL, fingerprint = NULL,
                        accepted = NULL, resource = NULL, extensions = NULL, offer = NULL
                    WHERE number = ? AND salt IS NOT NULL AND NOT \(PaymentRows.openStates)
                    """, in: database)
                row.bind(number)
                try row.run()
            }
            // Somebody else may have erased it since it was found.
            guard database.changesCount > 0 else { continue }
            try EvidenceRows.erase(of: number, in: database)
            known.release(number: number)
            count += 1
        }
        if count > 0 { try write(.erased(count, before: bound, by: actor), at: time(at: now)) }
        return count
    }
}
