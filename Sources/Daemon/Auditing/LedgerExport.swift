package import Audit
package import Ledger
package import Policy

/// Writes the books out to a file or to whoever takes the text.
package enum LedgerExport {
    /// Bytes that are gathered before they are handed on.
    private static let pieceSize = 1 << 16

    /// Writes an export in pieces of whole lines.
    package static func write(
        _ format: ExportFormat, of period: Period, from ledger: any LedgerStore, assets: AssetTable,
        to sink: @escaping @Sendable ([UInt8]) throws(LedgerError) -> Void
    ) async throws(LedgerError) {
        let export = Export(format, of: period, assets: assets)
        try await ledger.read { (snapshot) throws(LedgerError) in
            var piece: [UInt8] = []
            try export.write(snapshot) { (bytes) throws(LedgerError) in
                piece += bytes
                guard piece.count >= pieceSize else { return }
                try sink(piece)
                piece.removeAll(keepingCapacity: true)
            }
            if !piece.isEmpty { try sink(piece) }
        }
    }

    /// Writes an export to a file with mode 0600, which has its name only once all of it is there.
    ///
    /// Throws ``StateDirectoryError/exists(_:)`` for a file that is there, unless it is to be replaced, and what the
    /// ledger throws.
    package static func write(
        _ format: ExportFormat, of period: Period, from ledger: any LedgerStore, assets: AssetTable,
        file path: String, replacing: Bool
    ) async throws {
        guard replacing || !FileSystem.exists(path) else { throw StateDirectoryError.exists(path) }
        let file = try PendingFile(path)
        do {
            try await write(format, of: period, from: ledger, assets: assets) { (bytes) throws(LedgerError) in
                do throws(StateDirectoryError) {
                    try file.append(bytes)
                } catch {
                    throw .storage(error.description)
                }
            }
            try file.finish(replacing: replacing)
        } catch {
            file.discard()
            throw error
        }
    }
}
