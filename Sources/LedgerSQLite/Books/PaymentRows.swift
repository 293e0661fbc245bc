import GRDB
import Ledger
import Primitives

/// Rows of `payments`.
enum PaymentRows {
    private static let fields = """
        id, agent, team, gateway, host, policy, state, reserved_at, changed_at,
        scheme, payment_method, network, asset, symbol, decimals, wallet, payer, pay_to, amount, nanodollars, nonce,
        valid_after, valid_before, moved, version, salt, method, url, model, fingerprint, accepted, resource, extensions,
        offer
        """
    /// What becomes of the answer, which no payment begins with.
    private static let deliveryFields = "delivery, delivery_at, repeated_at"

    /// The beginning of every query that ``read(_:)`` reads; `source` is ``everything`` or ``openOnly``.
    static func selection(from source: String = everything) -> String {
        "SELECT number, \(fields), \(deliveryFields) FROM \(source)"
    }

    /// All payments.
    static let everything = "payments"
    /// Payments through the index of the open ones, for queries that name ``openStates``.
    ///
    /// The planner would rather walk through all payments in the order of their numbers; with the index named, a query
    /// that cannot use it is an error.
    static let openOnly = "payments INDEXED BY payments_open"
    /// The open states, as the condition of the index writes them.
    static let openStates = "(state = 'reserved' OR state = 'resumed' OR state = 'rejected' OR state = 'in-doubt')"

    /// Inserts a payment and returns its number, or nil when identifier or nonce are known.
    static func insert(_ record: PaymentRecord, into database: Database) throws(Fault) -> Int64? {
        var row = try Prepared(
            "INSERT INTO payments (\(fields)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            in: database)
        row.bind(record.id.bytes)
        row.bind(record.purpose.agent)
        row.bind(record.purpose.team)
        row.bind(record.purpose.gateway)
        row.bind(record.purpose.host)
        row.bind(record.purpose.policy)
        row.bind(record.state.rawValue)
        row.bind(record.reservedAt)
        row.bind(record.changedAt)
        bind(record.terms, to: &row)
        row.bind(record.moved)
        row.bind((record.echo?.version).map(Int64.init))
        row.bind(record.salt)
        let request = record.purpose.request
        row.bind(request?.method)
        row.bind(request?.url)
        row.bind(request?.modelText)
        row.bind(request?.fingerprint)
        row.bind(record.echo?.accepted)
        row.bind(record.echo?.resource)
        row.bind(record.echo?.extensions)
        row.bind(record.echo?.offer)
        return try row.insert() ? database.lastInsertedRowID : nil
    }

    private static func bind(_ terms: PaymentIntent.Terms?, to row: inout Prepared) {
        row.bind(terms?.scheme)
        row.bind(terms?.method)
        row.bind(terms?.network)
        row.bind(terms?.asset)
        row.bind(terms?.symbol)
        row.bind((terms?.decimals).map(Int64.init))
        row.bind(terms?.wallet)
        row.bind(terms?.payer)
        row.bind(terms?.payTo)
        row.bind(terms?.amount)
        row.bind(terms?.value.nanodollars)
        row.bind(terms?.nonce)
        row.bind(terms?.validAfter)
        row.bind(terms?.validBefore)
    }

    /// Whether an identifier is in the books.
    static func exists(_ id: PaymentID, in database: Database) throws(Fault) -> Bool {
        var query = try Prepared("SELECT 1 FROM payments WHERE id = ?", in: database)
        query.bind(id.bytes)
        return try query.step()
    }

    private static let selectionByID = selection() + " WHERE id = ?"
    private static let selectionByNumber = selection() + " WHERE number = ?"

    /// One payment with its number, or nil.
    static func find(_ id: PaymentID, in database: Database) throws(Fault) -> NumberedPayment? {
        var query = try Prepared(selectionByID, in: database)
        query.bind(id.bytes)
        return try one(&query, in: database)
    }

    /// One payment by its number, or nil.
    static func find(number: Int64, in database: Database) throws(Fault) -> NumberedPayment? {
        var query = try Prepared(selectionByNumber, in: database)
        query.bind(number)
        return try one(&query, in: database)
    }

    private static func one(_ query: inout Prepared, in database: Database) throws(Fault) -> NumberedPayment? {
        guard try query.step() else { return nil }
        let found = try read(&query)
        // Nothing has come back for a payment that was only set aside.
        if found.record.state == .reserved { return found }
        return found.leaving(try EvidenceRows.merged(of: found.number, in: database))
    }

    /// The payments of a query, with their evidence.
    static func all(_ query: inout Prepared, in database: Database) throws(Fault) -> [NumberedPayment] {
        var payments: [NumberedPayment] = []
        while try query.step() { payments.append(try read(&query)) }
        for index in payments.indices {
            let evidence = try EvidenceRows.merged(of: payments[index].number, in: database)
            payments[index] = payments[index].leaving(evidence)
        }
        return payments
    }

    /// The first so many payments of a query that can be read, with their evidence, and what is wrong with those between.
    static func readable(
        _ query: inout Prepared, limit: Int, in database: Database
    ) throws(Fault) -> Salvaged<[NumberedPayment]> {
        var payments: [NumberedPayment] = []
        var damage: [LedgerError] = []
        while payments.count < limit, try query.step() {
            do {
                payments.append(try read(&query))
            } catch {
                guard case .step(let reason) = error else { throw error }
                damage.append(reason)
            }
        }
        for index in payments.indices {
            let evidence = try EvidenceRows.merged(of: payments[index].number, in: database)
            payments[index] = payments[index].leaving(evidence)
        }
        return Salvaged(payments, damage: damage)
    }

    /// The row a statement stands on, without its evidence.
    private static func read(_ row: inout Prepared) throws(Fault) -> NumberedPayment {
        let number = try RowNumber.checked(row.integer(), of: "payments")
        guard let id = PaymentID(bytes: row.blob()) else { throw damaged(number, "identifier") }
        let agent = row.text()
        let team = row.optionalText()
        let gateway = row.text()
        let host = row.text()
        let policy = row.optionalBytes32()
        guard let state = PaymentState(rawValue: row.text()) else { throw damaged(number, "state") }
        let reservedAt = row.timestamp()
        let changedAt = row.timestamp()
        let terms = try readTerms(&row, number)
        let moved = row.optionalBytes32()
        let version = row.optionalInteger()
        let salt = row.optionalBytes32()
        let request = try readRequest(&row, number, salt: salt)
        let accepted = row.optionalBlob()
        let resource = row.optionalBlob()
        let extensions = row.optionalBlob()
        let offer = row.optionalBlob()
        let delivery = try readDelivery(&row, number)
        var echo: PaymentIntent.Echo?
        if let version, let accepted {
            echo = PaymentIntent.Echo(
                version: Int(version), accepted: accepted, resource: resource, extensions: extensions,
                offer: offer)
        }
        return NumberedPayment(
            number: number,
            record: PaymentRecord(
                id: id,
                purpose: PaymentIntent.Purpose(
                    agent: agent, team: team, gateway: gateway, host: host, request: request, policy: policy),
                terms: terms, echo: echo, salt: salt, state: state, reservedAt: reservedAt, changedAt: changedAt,
                evidence: PaymentEvidence(), moved: moved.map { UInt256(bigEndian: $0) }, delivery: delivery))
    }

    /// Writes where a payment stands now, by its number; what did not change of the answer's way is not touched, and with
    /// it the indexes over that.
    static func update(_ payment: NumberedPayment, to record: PaymentRecord, in database: Database) throws(Fault) {
        do {
            var row = try Prepared("UPDATE payments SET state = ?, changed_at = ? WHERE number = ?", in: database)
            row.bind(record.state.rawValue)
            row.bind(record.changedAt)
            row.bind(payment.number)
            try row.run()
        }
        guard record.delivery != payment.record.delivery else { return }
        var row = try Prepared(
            "UPDATE payments SET delivery = ?, delivery_at = ?, repeated_at = ? WHERE number = ?", in: database)
        row.bind(record.delivery?.fate.rawValue)
        row.bind((record.delivery?.at.milliseconds))
        row.bind((record.delivery?.repeatedAt?.milliseconds))
        row.bind(payment.number)
        try row.run()
    }

    private static func readDelivery(_ row: inout Prepared, _ number: Int64) throws(Fault) -> Delivery? {
        guard let word = row.optionalText() else {
            for _ in 0..<2 { _ = row.skipNull() }
            return nil
        }
        guard let fate = Delivery.Fate(rawValue: word) else { throw damaged(number, "delivery") }
        let time = row.timestamp()
        return Delivery(fate, at: time, repeatedAt: row.optionalInteger().map { Timestamp(milliseconds: $0) })
    }

    private static func readRequest(
        _ row: inout Prepared, _ number: Int64, salt: Bytes32?
    ) throws(Fault) -> PaymentIntent.Request? {
        let method = row.text()
        let url = row.text()
        let model = row.optionalText()
        let fingerprint = row.optionalBytes32()
        guard salt != nil else { return nil }
        guard let fingerprint else { throw damaged(number, "fingerprint") }
        return PaymentIntent.Request(
            method: method, url: url, model: PaymentIntent.Request.model(model), fingerprint: fingerprint)
    }

    private static func readTerms(_ row: inout Prepared, _ number: Int64) throws(Fault) -> PaymentIntent.Terms? {
        guard let scheme = row.optionalText() else {
            // The terms are whole or absent: all 13 other columns are NULL too.
            for _ in 0..<13 { _ = row.skipNull() }
            return nil
        }
        let method = row.text()
        let network = row.text()
        let asset = row.text()
        let symbol = row.text()
        let decimals = Int(row.integer())
        let wallet = row.text()
        let payer = row.text()
        let payTo = row.text()
        guard let amount = row.amount() else { throw damaged(number, "amount") }
        guard let value = Dollars(nanodollars: row.integer()) else { throw damaged(number, "dollar value") }
        guard let nonce = row.bytes32() else { throw damaged(number, "nonce") }
        return PaymentIntent.Terms(
            scheme: scheme, method: method, network: network, asset: asset, symbol: symbol, decimals: decimals,
            wallet: wallet,
            payer: payer, payTo: payTo, amount: amount, value: value, nonce: nonce, validAfter: row.integer(),
            validBefore: row.integer())
    }

    private static func damaged(_ number: Int64, _ what: String) -> Fault {
        .step(.damaged("row \(number) of payments has no valid \(what)"))
    }
}

extension NumberedPayment {
    fileprivate func leaving(_ evidence: PaymentEvidence) -> NumberedPayment {
        NumberedPayment(number: number, record: record.after(record.state, at: record.changedAt, evidence: evidence))
    }
}
