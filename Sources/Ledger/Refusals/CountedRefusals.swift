package import Primitives

/// How often an agent was refused within a minute beyond the refusals that have rows of their own.
package struct CountedRefusals: Sendable, Equatable {
    /// The agent.
    package let agent: String
    /// When the first of them was refused.
    package private(set) var first: Timestamp
    /// When the last of them was refused.
    package private(set) var last: Timestamp
    /// How many there were, by code; each at least 1.
    package private(set) var codes: [String: Int64]

    /// Makes a count.
    package init(agent: String, first: Timestamp, last: Timestamp, codes: [String: Int64]) {
        self.agent = agent
        // The journal keeps seconds.
        self.first = Timestamp(seconds: first.seconds)
        self.last = Timestamp(seconds: last.seconds)
        self.codes = codes
    }

    /// How many there were in all.
    package var count: Int64 { codes.values.reduce(0) { $0.addingReportingOverflow($1).overflow ? .max : $0 + $1 } }

    /// What counts are kept under whose code is not named any more.
    static let other = "other"

    /// This count and another one of the same agent together.
    func adding(_ more: CountedRefusals) -> CountedRefusals {
        var sum = self
        sum.first = min(first, more.first)
        sum.last = max(last, more.last)
        for (code, count) in more.codes {
            let isNamed = sum.codes[code] != nil || sum.codes.count < RefusalCounter.namedCodes
            sum.codes[isNamed ? code : Self.other, default: 0] += count
        }
        return sum
    }

    /// The line of the journal; it holds no text of a request.
    package var line: JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("first", first.description)
            text.field("last", last.description)
            text.field("count", count)
            text.object("codes") { text in
                for (code, count) in codes.sorted(by: { $0.key < $1.key }) { text.field(code, count) }
            }
        }
        return JournalLine(.refusals, subject: agent, cause: Self.cause, detail: text.string)
    }

    private static let cause = "counted"

    /// Reads a line that ``line`` made; nil for any other.
    package init?(_ line: JournalLine) {
        guard line.kind == .refusals, line.cause == Self.cause, let detail = line.detail,
            let root = try? JSONReader.read(Array(detail.utf8)),
            let first = root["first"]?.string.flatMap({ Timestamp(rfc3339: $0) }),
            let last = root["last"]?.string.flatMap({ Timestamp(rfc3339: $0) }), first <= last,
            let members = root["codes"]?.members, !members.isEmpty
        else { return nil }
        var codes: [String: Int64] = [:]
        for member in members {
            guard let count = member.value.integer, (1...(1 << 40)).contains(count) else { return nil }
            codes[member.key] = count
        }
        self.init(agent: line.subject, first: first, last: last, codes: codes)
        guard root["count"]?.integer == count else { return nil }
    }
}

extension LedgerSnapshot {
    /// What was counted of refusals in the entries from a moment on and before another one, newest first, and when each was
    /// entered.
    package func countedRefusals(
        since start: Timestamp? = nil, before end: Timestamp? = nil
    ) throws(LedgerError) -> [(counted: CountedRefusals, at: Timestamp)] {
        try newestEntries(of: .refusals, limit: .max).compactMap { entry in
            guard start.map({ $0 <= entry.at }) ?? true, end.map({ entry.at < $0 }) ?? true else { return nil }
            return CountedRefusals(entry.line).map { ($0, entry.at) }
        }
    }
}
