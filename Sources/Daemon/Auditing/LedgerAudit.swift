package import Audit
package import Ethereum
package import Ledger
import LedgerSQLite
package import Policy
package import Primitives
import Wallets

/// Checks of a state directory's books, from the file's pages to the signatures of wallets.
package struct LedgerAudit: Sendable {
    private let state: StateDirectory
    private let random: any RandomSource

    /// Works on a state directory.
    package init(state: StateDirectory, random: any RandomSource) {
        self.state = state
        self.random = random
    }

    /// What is wrong with the file as a database, a line for each page, row or index; none when it is whole.
    ///
    /// Throws ``StateDirectoryError/missing(_:)`` where there is no file, and the ledger's error where it cannot be read.
    package func damage() throws -> [String] {
        try state.check()
        try state.checkWriting()
        guard FileSystem.exists(state.ledgerFile) else { throw StateDirectoryError.missing(state.ledgerFile) }
        return try SQLiteLedger.inspect(path: state.ledgerFile)
    }

    /// A sentence where the log beside the file ends in the middle of a page; nil where it does not.
    ///
    /// A process that dies while it writes leaves that, and so does a log that was cut: SQLite passes over what is cut.
    package func logRemainder() -> String? {
        guard SQLiteLedger.hasBrokenLog(path: state.ledgerFile) else { return nil }
        return "the log \(state.ledgerFile)-wal ended in the middle of a page: what was written there last is not read"
    }

    /// The accounts that may have signed checkpoints: those of the wallets in the configuration and in `wallets/`, and
    /// `more`; nil when some wallet does not state its account, or there is none, so that nobody can be excluded.
    package func signers(_ more: [String] = []) throws -> Set<Address>? {
        let entries = state.hasConfiguration ? (try? state.loadConfiguration().wallets) ?? [] : []
        let wallets = try WalletAdministration(state: state, random: random).overview(entries)
        var signers: Set<Address> = []
        for text in more {
            guard Address.isChecksumValid(text), let address = Address(hex: text) else {
                throw OperatorMistake("`\(text)` is not an address, or its checksum is wrong")
            }
            signers.insert(address)
        }
        for wallet in wallets {
            guard let address = wallet.address.flatMap({ Address(hex: $0) }) else { return nil }
            signers.insert(address)
        }
        return signers.isEmpty ? nil : signers
    }

    /// Holds the books against themselves, and against what an operator knows of them from elsewhere.
    ///
    /// `signers` are the accounts of ``signers(_:)`` or nil for any.
    package func verify(
        _ ledger: any LedgerStore, assets: AssetTable, signers: Set<Address>?, anchors: [JournalAnchor] = [],
        at now: Timestamp
    ) async throws -> LedgerVerdict {
        let curve = try Secp256k1Context(seed: random.bytes32())
        let verification = Verification(assets: assets, wallets: signers, curve: curve)
        return try await ledger.read { (snapshot) throws(LedgerError) in
            let report = try verification.report(on: snapshot, at: now)
            var missed: [String] = []
            for anchor in anchors {
                if let fault = try anchor.fault(in: snapshot) { missed.append(fault) }
            }
            let end = report.coverage.lastEntry + report.coverage.uncoveredEntries
            return LedgerVerdict(
                report: report, last: end > 0 ? try snapshot.entries(from: end, limit: 1).first : nil,
                missed: missed)
        }
    }
}

/// What a verification came to.
package struct LedgerVerdict: Sendable {
    /// The books held against themselves.
    package let report: VerificationReport
    /// The journal's last entry; nil in empty books.
    package let last: JournalEntry?
    /// A sentence for each anchor that does not hold.
    package let missed: [String]

    /// Whether everything holds.
    package var isSound: Bool { report.isSound && missed.isEmpty }
}

/// An entry's number and hash as somebody wrote them down: what a journal that lost its end no longer has.
package struct JournalAnchor: Sendable, Hashable {
    /// The entry's number.
    package let number: Int64
    /// Its hash.
    package let hash: Bytes32

    /// Reads `17=0x…`, as `ledger verify` and the daemon's log tell it; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let number = Int64(parts[0]), number > 0, let bytes = Hex.decode(parts[1]),
            let hash = Bytes32(bytes)
        else { return nil }
        self.number = number
        self.hash = hash
    }

    /// Why a journal does not have the entry; nil when it does.
    func fault(in snapshot: any LedgerSnapshot) throws(LedgerError) -> String? {
        let entry = try snapshot.entries(from: number, limit: 1).first
        guard let entry, entry.number == number else {
            return "entry \(number) is missing: the journal ends before it"
        }
        return entry.hash == hash ? nil : "entry \(number) has another hash than \(hash): the journal was changed"
    }
}
