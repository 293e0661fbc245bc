import Ethereum
package import Ledger
package import Logging
package import Primitives
package import Wallets

/// Closes the ledger's days: signs the last hash of each, so that nobody can write the journal anew behind it.
package struct LedgerClosing: Sendable {
    private let store: any JournalBooks
    private let signer: any Signer
    private let logger: Logger

    /// Makes a closing that signs with one wallet.
    package init(store: any JournalBooks, signer: any Signer, logger: Logger) {
        self.store = store
        self.signer = signer
        self.logger = logger
    }

    /// Signs the last closed day that has entries and no checkpoint yet; nil when there is none or it could not be done.
    ///
    /// For the daemon's housekeeping; what fails is logged and due again the next time.
    package func closeDay(at now: Timestamp) async -> Checkpoint? {
        do {
            guard let statement = try await store.dueCheckpoint(at: now) else { return nil }
            guard let text = CheckpointText(statement.text) else {
                logger.error("checkpoint is not one that a wallet signs", metadata: ["day": "\(statement.day)"])
                return nil
            }
            let signature = try signer.sign(checkpoint: text)
            let checkpoint = Checkpoint(
                statement: statement, signer: signer.address.checksummed, signature: signature.bytes)
            try await store.add(checkpoint, at: now)
            logger.info(
                "day closed",
                metadata: [
                    "day": "\(statement.day)", "entries": "\(statement.entries)", "hash": "\(statement.hash)",
                    "signer": "\(checkpoint.signer)",
                ])
            return checkpoint
        } catch {
            logger.error("day not closed", metadata: ["problem": "\(error)"])
            return nil
        }
    }
}
