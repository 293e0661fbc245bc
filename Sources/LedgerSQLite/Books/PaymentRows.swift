import GRDB
import Ledger
import Primitives

/// Rows of `payments` and `evidence`.
enum PaymentRows {
    private static let fields = """
        id, agent, gateway, method, url, fingerprint, state, reserved_at, changed_at,
        version, accepted, resource, extensions,
        scheme, network, asset, symbol, decimals, wallet, payer, pay_to, amount, nanodollars, nonce,
        valid_after, valid_before
        """

    /// The beginning of every query that ``read(_:)`` reads; `source` is ``everything`` or ``openOnly``.
    static func selection(from source: String = everything) -> String {
        """
        SELECT number, \(fields), status, signature, settlement, chain_transaction, reason
        FROM \(source) LEFT JOIN evidence ON evidence.payment = payments.number
        """
    }

    /// All payments.
    static let everything = "payments"
    /// Payments through the index of the open ones, for queries that name ``openStates``.
    ///
    /// The planner would rather walk through all payments in the order of their numbers; with the index named, a query
    /// that cannot use it is an error.
    static let openOnly = "payments INDEXED BY payments_open"
    /// The open states, as the condition of the index writes them.
    static let openStates = "(state = 'reserved' OR state = 'rejected' OR state = 'in-doubt')"

    /// Inserts a payment with its evidence and returns its number, or nil when identifier or nonce are known.
    static func insert(_ record: PaymentRecord, into database: Database) throws(Fault) -> Int64? {
        var row = try Prepared(
            "INSERT INTO payments (\(fields)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            in: database)
        row.bind(record.id.description)
        row.bind(record.purpose.agent)
        row.bind(record.purpose.gateway)
        row.bind(record.purpose.method)
        row.bind(record.purpose.url)
        row.bind(record.purpose.fingerprint)
        row.bind(record.state.rawValue)
        row.bind(record.reservedAt.milliseconds)
        row.bind(record.changedAt.milliseconds)
        row.bind((record.echo?.version).map(Int64.init))
        row.bind(record.echo?.accepted)
        row.bind(record.echo?.resource)
        row.bind(record.echo?.extensions)
        bind(record.terms, to: &row)
        guard try row.insert() else { return nil }
        let number = database.lastInsertedRowID
        if record.evidence != PaymentEvidence() { try write(record.evidence, of: number, in: database) }
        return number
    }

    private static func bind(_ terms: PaymentIntent.Terms?, to row: inout Prepared) {
        row.bind(terms?.scheme)
        row.bind(terms?.network)
        row.bind(terms?.asset)
        row.bind(terms?.symbol)
        row.bind((terms?.decimals).map(Int64.init))
        row.bind(terms?.wallet)
        row.bind(terms?.payer)
        row.bind(terms?.payTo)
        row.bind(terms?.amount.bigEndianBytes)
        row.bind(terms?.value.nanodollars)
        row.bind(terms?.nonce)
        row.bind(terms?.validAfter)
        row.bind(terms?.validBefore)
    }

    /// Writes all evidence of a payment over what is stored.
    static func write(_ evidence: PaymentEvidence, of number: Int64, in database: Database) throws(Fault) {
        var row = try Prepared(
            """
            INSERT OR REPLACE INTO evidence (payment, status, signature, settlement, chain_transaction, reason)
            VALUES (?, ?, ?, ?, ?, ?)
            """, in: database)
        row.bind(number)
        row.bind(evidence.status.map(Int64.init))
        row.bind(evidence.signature)
        row.bind(evidence.settlement)
        row.bind(evidence.transaction)
        row.bind(evidence.reason)
        try row.run()
    }

    /// Whether an identifier is in the books.
    static func exists(_ id: PaymentID, in database: Database) throws(Fault) -> Bool {
        var query = try Prepared("SELECT 1 FROM payments WHERE id = ?", in: database)
        query.bind(id.description)
        return try query.step()
    }

    private static let selectionByID = selection() + " WHERE id = ?"

    /// One payment with its number, or nil.
    static func find(
        _ id: PaymentID, in database: Database
    ) throws(Fault) -> (number: Int64, record: PaymentRecord)? {
        var query = try Prepared(selectionByID, in: database)
        query.bind(id.description)
        return try query.step() ? try read(&query) : nil
    }

    /// The row a statement stands on.
    static func read(_ row: inout Prepared) throws(Fault) -> (number: Int64, record: PaymentRecord) {
        let number = row.integer()
        guard let id = PaymentID(row.text()) else { throw damaged(number, "identifier") }
        let agent = row.text()
        let gateway = row.text()
        let method = row.text()
        let url = row.text()
        guard let fingerprint = row.bytes32() else { throw damaged(number, "fingerprint") }
        guard let state = PaymentState(rawValue: row.text()) else { throw damaged(number, "state") }
        let reservedAt = Timestamp(milliseconds: row.integer())
        let changedAt = Timestamp(milliseconds: row.integer())
        let echo = readEcho(&row)
        let terms = try readTerms(&row, number)
        let evidence = PaymentEvidence(
            status: row.optionalInteger().map { Int($0) }, signature: row.optionalBlob(),
            settlement: row.optionalBlob(), transaction: row.optionalText(), reason: row.optionalText())
        let record = PaymentRecord(
            id: id,
            purpose: PaymentIntent.Purpose(
                agent: agent, gateway: gateway, method: method, url: url, fingerprint: fingerprint),
            terms: terms, echo: echo, state: state, reservedAt: reservedAt, changedAt: changedAt, evidence: evidence)
        return (number, record)
    }

    private static func readEcho(_ row: inout Prepared) -> PaymentIntent.Echo? {
        let version = row.optionalInteger()
        let accepted = row.optionalBlob()
        let resource = row.optionalBlob()
        let extensions = row.optionalBlob()
        guard let version, let accepted else { return nil }
        return PaymentIntent.Echo(
            version: Int(version), accepted: accepted, resource: resource, extensions: extensions)
    }

    private static func readTerms(_ row: inout Prepared, _ number: Int64) throws(Fault) -> PaymentIntent.Terms? {
        guard let scheme = row.optionalText() else {
            // The terms are whole or absent: all 12 other columns are NULL too.
            for _ in 0..<12 { _ = row.skipNull() }
            return nil
        }
        let network = row.text()
        let asset = row.text()
        let symbol = row.text()
        let decimals = Int(row.integer())
        let wallet = row.text()
        let payer = row.text()
        let payTo = row.text()
        guard let amount = row.bytes32() else { throw damaged(number, "amount") }
        guard let value = Dollars(nanodollars: row.integer()) else { throw damaged(number, "dollar value") }
        guard let nonce = row.bytes32() else { throw damaged(number, "nonce") }
        return PaymentIntent.Terms(
            scheme: scheme, network: network, asset: asset, symbol: symbol, decimals: decimals, wallet: wallet,
            payer: payer, payTo: payTo, amount: UInt256(bigEndian: amount), value: value, nonce: nonce,
            validAfter: row.integer(), validBefore: row.integer())
    }

    private static func damaged(_ number: Int64, _ what: String) -> Fault {
        .batch(.damaged("row \(number) of payments has no valid \(what)"))
    }
}
