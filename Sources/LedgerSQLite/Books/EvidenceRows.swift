import GRDB
import Ledger

/// Rows of `evidence`: what each step of a payment left.
enum EvidenceRows {
    private static let fields = "status, signature, settlement, chain_transaction, reason"

    /// Adds what an entry left.
    static func insert(
        _ evidence: PaymentEvidence, of payment: Int64, entry: Int64, into database: Database
    ) throws(Fault) {
        var row = try Prepared(
            "INSERT INTO evidence (payment, entry, \(fields)) VALUES (?, ?, ?, ?, ?, ?, ?)", in: database)
        row.bind(payment)
        row.bind(entry)
        row.bind(evidence.status.map(Int64.init))
        row.bind(evidence.signature)
        row.bind(evidence.settlement)
        row.bind(evidence.transaction)
        row.bind(evidence.reason)
        try row.run()
    }

    /// All evidence of a payment, newer over older.
    static func merged(of payment: Int64, in database: Database) throws(Fault) -> PaymentEvidence {
        var query = try Prepared("SELECT \(fields) FROM evidence WHERE payment = ? ORDER BY entry", in: database)
        query.bind(payment)
        var evidence = PaymentEvidence()
        while try query.step() { evidence = evidence.merging(read(&query)) }
        return evidence
    }

    /// What the entries of a range left, by their numbers.
    static func byEntry(_ range: ClosedRange<Int64>, in database: Database) throws(Fault) -> [Int64: PaymentEvidence] {
        var query = try Prepared(
            """
            SELECT number, \(fields) FROM entries JOIN evidence
            ON evidence.payment = entries.payment AND evidence.entry = entries.number
            WHERE number BETWEEN ? AND ?
            """, in: database)
        query.bind(range.lowerBound)
        query.bind(range.upperBound)
        var evidence: [Int64: PaymentEvidence] = [:]
        while try query.step() { evidence[query.integer()] = read(&query) }
        return evidence
    }

    /// Erases the texts that others wrote.
    static func erase(of payment: Int64, in database: Database) throws(Fault) {
        var row = try Prepared("UPDATE evidence SET settlement = NULL, reason = NULL WHERE payment = ?", in: database)
        row.bind(payment)
        try row.run()
    }

    private static func read(_ row: inout Prepared) -> PaymentEvidence {
        PaymentEvidence(
            status: row.optionalInteger().map { Int($0) }, signature: row.optionalBlob(),
            settlement: row.optionalBlob(), transaction: row.optionalText(), reason: row.optionalText())
    }
}
