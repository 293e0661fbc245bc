package import Primitives

/// A day's last hash: what a wallet signs so that the journal cannot be written anew behind it.
package struct CheckpointStatement: Sendable, Equatable {
    /// The UTC day that is closed, `2026-11-22`.
    package let day: String
    /// The number of its last entry.
    package let entries: Int64
    /// That entry's hash.
    package let hash: Bytes32

    /// Makes a statement.
    package init(day: String, entries: Int64, hash: Bytes32) {
        self.day = day
        self.entries = entries
        self.hash = hash
    }

    /// The statement of a day that `entry` was the last of.
    package init(closing entry: JournalEntry) {
        self.init(day: entry.at.utcDate, entries: entry.number, hash: entry.hash)
    }

    /// Whether the statement still closes its day: `entry` is the one it names, `next` the one behind, `signed` the newest
    /// checkpoint's statement.
    package func closes(_ entry: JournalEntry?, next: JournalEntry?, signed: CheckpointStatement?) -> Bool {
        guard let entry, entry.number == entries, entry.hash == hash, entry.at.utcDate == day,
            (signed?.entries ?? 0) < entries
        else { return false }
        return next.map { $0.at.utcDay > entry.at.utcDay } ?? true
    }

    /// The one text that is signed, as an EIP-191 personal message.
    package var text: String {
        "Purser ledger checkpoint 1\nday: \(day)\nentries: \(entries)\nhash: \(hash)\n"
    }
}

/// A signed statement, as the journal keeps it.
package struct Checkpoint: Sendable, Equatable {
    /// What is stated.
    package let statement: CheckpointStatement
    /// The wallet's address, EIP-55.
    package let signer: String
    /// 65 bytes: r, s and v.
    package let signature: [UInt8]

    /// Makes a checkpoint.
    package init(statement: CheckpointStatement, signer: String, signature: [UInt8]) {
        self.statement = statement
        self.signer = signer
        self.signature = signature
    }

    /// Why a checkpoint cannot be booked any more.
    package static let overtaken = "the day went on since its checkpoint was due, or it is closed already"

    /// The entry that keeps it.
    package var line: JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("entries", statement.entries)
            text.field("hash", statement.hash.description)
            text.field("signer", signer)
            text.field("signature", Hex.prefixed(signature))
        }
        return JournalLine(.checkpoint, subject: statement.day, cause: "signed", detail: text.string)
    }

    /// Reads what ``line`` wrote; nil when an entry is no checkpoint or does not say what it must.
    package init?(_ line: JournalLine) {
        guard line.kind == .checkpoint, let detail = line.detail, let root = try? JSONReader.read(Array(detail.utf8)),
            let entries = root["entries"]?.integer, let hash = root["hash"]?.string.flatMap({ Hex.decode($0) }),
            let signer = root["signer"]?.string, let signature = root["signature"]?.string.flatMap({ Hex.decode($0) }),
            let hash = Bytes32(hash)
        else { return nil }
        self.init(
            statement: CheckpointStatement(day: line.subject, entries: entries, hash: hash), signer: signer,
            signature: signature)
    }
}
