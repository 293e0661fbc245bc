import Ethereum
import Ledger
import Primitives

/// Whether checkpoints name the journal as it is, and who signed them.
struct CheckpointCheck {
    private let wallets: Set<Address>?
    private let curve: Secp256k1Context
    private var last: CheckpointStatement?
    private var days: [(day: Int64, lastEntry: Int64)] = []

    init(wallets: Set<Address>?, curve: Secp256k1Context) {
        self.wallets = wallets
        self.curve = curve
    }

    /// Looks at an entry that keeps a checkpoint; of others only the day is noted.
    mutating func examine(
        _ entry: JournalEntry, in snapshot: any LedgerSnapshot, _ findings: inout Findings
    ) throws(LedgerError) {
        if days.last?.day == entry.at.utcDay { days.removeLast() }
        days.append((entry.at.utcDay, entry.number))
        guard entry.line.kind == .checkpoint else { return }
        let row = "entry \(entry.number)"
        guard let checkpoint = Checkpoint(entry.line) else {
            return findings.examine(.checkpoints, row, holds: false, "is no readable checkpoint")
        }
        let fault = try fault(in: checkpoint, keptBy: entry, in: snapshot)
        findings.examine(.checkpoints, row, holds: fault == nil, fault ?? "")
        if fault == nil, (last?.entries ?? 0) < checkpoint.statement.entries { last = checkpoint.statement }
    }

    private func fault(
        in checkpoint: Checkpoint, keptBy entry: JournalEntry, in snapshot: any LedgerSnapshot
    ) throws(LedgerError) -> String? {
        let statement = checkpoint.statement
        guard statement.entries >= 1, statement.entries < entry.number else {
            return "is a checkpoint of entry \(statement.entries), which does not stand before it"
        }
        let closing = try snapshot.entries(from: statement.entries, limit: 2)
        guard let closed = closing.first, closed.number == statement.entries, closed.hash == statement.hash else {
            return "is a checkpoint of entry \(statement.entries), whose hash has changed"
        }
        guard closed.at.utcDate == statement.day else {
            return "is a checkpoint of \(statement.day), but entry \(closed.number) is of \(closed.at)"
        }
        if let next = closing.dropFirst().first, next.at.utcDay <= closed.at.utcDay {
            return "is a checkpoint of \(statement.day), which entry \(closed.number) is not the last of"
        }
        guard let signer = Address(hex: checkpoint.signer), let signature = Signature(bytes: checkpoint.signature),
            curve.recover(digest: statement.digest, signature: signature) == signer
        else { return "is a checkpoint that \(checkpoint.signer) did not sign" }
        guard wallets.map({ $0.contains(signer) }) ?? true else {
            return "is a checkpoint signed by \(signer), which is no known wallet"
        }
        return nil
    }

    /// How far sound checkpoints reach.
    func coverage(at now: Timestamp) -> VerificationReport.Coverage {
        let covered = last?.entries ?? 0
        let open = days.filter { $0.lastEntry > covered && $0.day < now.utcDay }
        return VerificationReport.Coverage(
            lastDay: last?.day, lastEntry: covered, uncoveredEntries: (days.last?.lastEntry ?? 0) - covered,
            openDays: Int64(open.count))
    }
}
