package import Ethereum
package import Ledger
package import Policy
package import Primitives

/// Holds the books against themselves: hashes, histories, sums, counters and signatures.
///
/// One walk through the journal, with the payments in step, and one through the payments for each cap. In memory are the
/// balances and caps, a page of each kind, and the payments that are under way at the walk's place in time: those that
/// have begun and whose last entry is still to come. An entry costs about 15 µs and a signature 60 µs, so that ten million
/// entries take some minutes.
///
/// What it cannot see: entries cut off the end together with the rows they made, when no checkpoint covers them, and
/// books that were written anew from the start by somebody who holds a wallet's key.
package struct Verification: Sendable {
    private let assets: AssetTable
    private let wallets: Set<Address>?
    private let curve: Secp256k1Context

    /// Makes a verification.
    ///
    /// `wallets` are the addresses that may sign checkpoints; nil means that any signer is good.
    package init(assets: AssetTable, wallets: Set<Address>? = nil, curve: Secp256k1Context) {
        self.assets = assets
        self.wallets = wallets
        self.curve = curve
    }

    /// Checks everything and says what was found; throws only when the books cannot be read.
    package func report(
        on snapshot: any LedgerSnapshot, at now: Timestamp
    ) throws(LedgerError) -> VerificationReport {
        var findings = Findings()
        var chain = ChainCheck()
        var histories = try HistoryCheck(snapshot, signatures: SignatureCheck(assets: assets, curve: curve))
        var calls = CallCheck(snapshot)
        var balances = BalanceCheck()
        var rules = RuleCheck()
        var checkpoints = CheckpointCheck(wallets: wallets, curve: curve)
        try snapshot.forEachEntry { (entry) throws(LedgerError) in
            chain.examine(entry, &findings)
            try histories.examine(entry, &findings)
            try calls.examine(entry, &findings)
            if entry.line.kind != .payment { TransferCheck.examine(entry, &findings) }
            balances.add(entry)
            rules.examine(entry, &findings)
            try checkpoints.examine(entry, in: snapshot, &findings)
        }
        try histories.finish(&findings)
        try calls.finish(&findings)
        balances.finish(try snapshot.balances(), &findings)
        rules.finish(try snapshot.rules(), &findings)
        let present = max(now, chain.time ?? now)
        try CounterCheck.examine(snapshot, at: present, &findings)
        return VerificationReport(
            checks: findings.all,
            coverage: checkpoints.coverage(at: present))
    }
}
