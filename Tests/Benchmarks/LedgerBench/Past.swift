import Ledger
import Primitives

/// A year of settled payments, written in bulk.
///
/// Every table and index gets the rows that the real steps would have left, in their order: for each payment its row,
/// its two entries and its evidence, then balances and counters. The hashes of entries and contents are random bytes of
/// the same size: working them out would take longer than all the rest, and nothing that is measured reads them.
enum Past {
    /// How long a filling took and how large the file became.
    struct Filling {
        /// Seconds.
        let seconds: Double
        /// Bytes of the file.
        let bytes: Int
    }

    private static let year: Int64 = 365 * 86_400_000
    private static let chunk = 250_000

    /// When the books were founded.
    static let beginning = Timestamp(milliseconds: System.now.milliseconds - year)

    /// How much room so many payments need, in bytes.
    static func bytes(of payments: Int) -> Int { payments * 1900 }

    /// Adds payments to closed books that have agents and caps and nothing else.
    static func fill(_ path: String, payments: Int) throws(BenchError) -> Filling {
        let start = System.seconds
        let database = try Bare(path)
        try database.run(
            """
            PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            PRAGMA cache_size = -262144; PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF
            """)
        let writer = try PastWriter(database, step: max(2, (year - 60_000) / Int64(max(1, payments))))
        var done = 0
        while done < payments {
            let size = min(chunk, payments - done)
            try database.run("BEGIN")
            for number in done..<done + size { try writer.add(number) }
            try database.run("COMMIT")
            done += size
            if done.isMultiple(of: chunk * 4) || done == payments {
                complain("filled \(done) of \(payments) past payments in \(Int(System.seconds - start)) s")
            }
        }
        try writer.finish(payments)
        return Filling(seconds: System.seconds - start, bytes: WorkFolder.size(of: path))
    }
}

/// The statements of a filling.
private final class PastWriter {
    private let database: Bare
    private let payment: BareStatement
    private let reserved: BareStatement
    private let settled: BareStatement
    private let evidence: BareStatement
    private let step: Int64
    private let firstEntry: Int64
    private var noise = Noise(seed: 7)
    private let amount = UInt256(Sample.units).bigEndianBytes.words
    private let wallet: Int64
    private var exposed: [Int64] = []
    private var spent: [Int64] = []

    init(_ database: Bare, step: Int64) throws(BenchError) {
        self.database = database
        self.step = step
        firstEntry = try database.number("SELECT max(number) + 1 FROM entries")
        let asset = "\(Sample.network)/\(Sample.asset)"
        func account(_ name: String) throws(BenchError) -> Int64 {
            try database.run(
                """
                INSERT INTO accounts (name, asset, debits, credits)
                VALUES ('\(name)', '\(asset)', zeroblob(32), zeroblob(32))
                """)
            return try database.number("SELECT max(number) FROM accounts")
        }
        wallet = try account("wallet:\(Sample.payer)")
        for agent in 0..<Sample.agents {
            exposed.append(try account("exposed:\(Sample.agent(agent))"))
            spent.append(try account("spent:\(Sample.agent(agent)):\(Sample.payee)"))
        }
        payment = try database.prepare(
            """
            INSERT INTO payments (number, id, agent, team, gateway, host, state, reserved_at, changed_at, scheme, network,
                asset, symbol, decimals, wallet, payer, pay_to, amount, nanodollars, nonce, valid_after, valid_before,
                version, salt, method, url, model, fingerprint, accepted, resource)
            VALUES (?1, ?2, ?3, ?4, '\(Sample.gateway)', '\(Sample.host)', 'settled', ?5, ?6, 'exact',
                '\(Sample.network)', '\(Sample.asset)', 'USDT', 6, 'main', '\(Sample.payer)', '\(Sample.payee)', ?7,
                \(Sample.nanodollars), ?8, ?9, ?10, 2, ?11, 'POST', '\(Sample.url)', 'light-2', ?12, ?13, ?14)
            """)
        let entry = "INSERT INTO entries (number, at, kind, payment, cause, state, debit, credit, amount, "
        reserved = try database.prepare(
            entry
                + "terms, metadata, hash) VALUES (?1, ?2, 'payment', ?3, 'reserved', 'reserved', ?4, ?5, ?6, ?7, ?8, ?9)"
        )
        settled = try database.prepare(
            entry + "metadata, hash) VALUES (?1, ?2, 'payment', ?3, 'settled', 'settled', ?4, ?5, ?6, ?7, ?8)")
        evidence = try database.prepare(
            """
            INSERT INTO evidence (payment, entry, status, signature, settlement, chain_transaction)
            VALUES (?1, ?2, 200, ?3, ?4, ?5)
            """)
        payment.bind(Self.bigEndian(amount), at: 7)
        payment.bind(Sample.accepted, at: 13)
        payment.bind(Sample.resource, at: 14)
        reserved.bind(Self.bigEndian(amount), at: 6)
        settled.bind(Self.bigEndian(amount), at: 6)
        evidence.bind(Sample.signature, at: 3)
        evidence.bind(Sample.settlement, at: 4)
    }

    private static func bigEndian(_ words: (UInt64, UInt64, UInt64, UInt64)) -> (UInt64, UInt64, UInt64, UInt64) {
        (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    }

    private func random() -> (UInt64, UInt64, UInt64, UInt64) { noise.bytes32().words }

    /// Adds a payment: reserved at its time, settled half a step later.
    func add(_ index: Int) throws(BenchError) {
        let number = Int64(index) + 1
        let time = Past.beginning.milliseconds + Int64(index) * step
        let later = time + step / 2
        let agent = index % Sample.agents
        let stamp = UInt64(time) << 16
        var id = random()
        id.0 = (stamp | id.0 & 0xffff).bigEndian
        var nonce = random()
        nonce.0 = (stamp | nonce.0 & 0xffff).bigEndian
        payment.bind(number, at: 1)
        payment.bind(id, count: 16, at: 2)
        payment.bind(Sample.agent(agent), at: 3)
        payment.bind(Sample.team(agent), at: 4)
        payment.bind(time, at: 5)
        payment.bind(later, at: 6)
        payment.bind(nonce, at: 8)
        payment.bind(time / 1000 - 600, at: 9)
        payment.bind(time / 1000 + Sample.window, at: 10)
        payment.bind(random(), at: 11)
        payment.bind(random(), at: 12)
        try payment.run()
        let entry = firstEntry + 2 * Int64(index)
        reserved.bind(entry, at: 1)
        reserved.bind(time, at: 2)
        reserved.bind(number, at: 3)
        reserved.bind(exposed[agent], at: 4)
        reserved.bind(wallet, at: 5)
        for place in Int32(7)...9 { reserved.bind(random(), at: place) }
        try reserved.run()
        settled.bind(entry + 1, at: 1)
        settled.bind(later, at: 2)
        settled.bind(number, at: 3)
        settled.bind(spent[agent], at: 4)
        settled.bind(exposed[agent], at: 5)
        for place in Int32(7)...8 { settled.bind(random(), at: place) }
        try settled.run()
        evidence.bind(number, at: 1)
        evidence.bind(entry + 1, at: 2)
        evidence.bind(noise.bytes32().description, at: 5)
        try evidence.run()
    }

    /// Writes balances and counters.
    func finish(_ payments: Int) throws(BenchError) {
        try database.run("BEGIN")
        func of(_ agent: Int) -> UInt64 {
            UInt64(payments / Sample.agents + (agent < payments % Sample.agents ? 1 : 0))
        }
        func balance(_ number: Int64, debits: UInt64, credits: UInt64) throws(BenchError) {
            let row = try database.prepare("UPDATE accounts SET debits = ?1, credits = ?2 WHERE number = ?3")
            row.bind(UInt256(debits * Sample.units).bigEndianBytes.bytes, at: 1)
            row.bind(UInt256(credits * Sample.units).bigEndianBytes.bytes, at: 2)
            row.bind(number, at: 3)
            try row.run()
        }
        func count(_ scope: String, _ span: String, _ payments: UInt64, since start: Timestamp) throws(BenchError) {
            guard payments > 0 else { return }
            let row = try database.prepare("UPDATE caps SET buckets = ?1 WHERE scope = ?2 AND span = ?3")
            let words = Bytes32(words: (UInt64(start.milliseconds), 0, 0, 0))
            let spent = UInt256(payments * UInt64(Sample.nanodollars)).bigEndianBytes.bytes
            row.bind(Array(words.bytes.prefix(8)) + spent + [UInt8](repeating: 0, count: 32), at: 1)
            row.bind(scope, at: 2)
            row.bind(span, at: 3)
            try row.run()
        }
        try balance(wallet, debits: 0, credits: UInt64(payments))
        let epoch = Timestamp(milliseconds: 0)
        var teams = [UInt64](repeating: 0, count: Sample.teams)
        let last = Timestamp(milliseconds: Past.beginning.milliseconds + Int64(payments) * step)
        // Whole multiples of the number of agents, so that every agent has the same share of the day and the month.
        func since(_ start: Timestamp) -> UInt64 {
            let share = max(0, min(Int64(payments), (last.milliseconds - start.milliseconds) / step))
            return UInt64(share) / UInt64(Sample.agents)
        }
        let day = Timestamp.startOfUTCDay(last.utcDay)
        for agent in 0..<Sample.agents {
            try balance(exposed[agent], debits: of(agent), credits: of(agent))
            try balance(spent[agent], debits: of(agent), credits: 0)
            let scope = "agent:\(Sample.agent(agent))"
            try count(scope, "lifetime", of(agent), since: epoch)
            try count(scope, "day", since(day), since: day)
            teams[agent % Sample.teams] += since(last.startOfUTCMonth)
        }
        for team in 0..<Sample.teams {
            try count("team:team-\(team)", "month", teams[team], since: last.startOfUTCMonth)
        }
        try count("house", "lifetime", UInt64(payments), since: epoch)
        try database.run("COMMIT")
    }
}
