import Ethereum
import Ledger
import Primitives
import TestSupport
import Testing
import Wallets

@testable import Payments

@Suite("Closing the ledger's days")
struct LedgerClosingTests {
    private let tomorrow = Timestamp.vectors.adding(seconds: 86_400)

    private func closing(_ desk: Desk, signer: CountingSigner? = nil) -> LedgerClosing {
        LedgerClosing(store: desk.books, signer: signer ?? desk.signer, logger: desk.log.logger)
    }

    private func checkpoints(_ desk: Desk) async throws -> [Checkpoint] {
        try await desk.books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).compactMap { Checkpoint($0.line) }
        }
    }

    @Test("a day that is over is closed once, with its last hash, signed by the wallet")
    func closes() async throws {
        let desk = try await Desk()
        _ = try await desk.paid()
        #expect(await closing(desk).closeDay(at: .vectors) == nil)
        let last = try await desk.books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).last
        }
        let checkpoint = try #require(await closing(desk).closeDay(at: tomorrow))
        #expect(checkpoint.statement.day == "2026-11-22")
        #expect(checkpoint.statement.hash == last?.hash && checkpoint.statement.entries == last?.number)
        #expect(try await checkpoints(desk) == [checkpoint])
        #expect(await closing(desk).closeDay(at: tomorrow) == nil)

        let context = try Secp256k1Context(seed: SeededRandom(seed: 3).bytes32())
        let signature = try #require(Signature(bytes: checkpoint.signature))
        let digest = PersonalMessage(checkpoint.statement.text).digest
        #expect(context.recover(digest: digest, signature: signature)?.checksummed == checkpoint.signer)
        #expect(checkpoint.signer == desk.signer.address.checksummed)
        // A digest that a wallet signs for payments was not asked for beyond the one payment.
        #expect(desk.signer.signatures == 1)
    }

    @Test("a day that cannot be signed is due again")
    func fails() async throws {
        let desk = try await Desk()
        #expect(await closing(desk, signer: try CountingSigner(fails: true)).closeDay(at: tomorrow) == nil)
        #expect(desk.log.lines.contains { $0.hasPrefix("error: day not closed") })
        #expect(try await checkpoints(desk).isEmpty)
        #expect(await closing(desk).closeDay(at: tomorrow) != nil)
    }

    @Test("what the ledger states is what a wallet may sign")
    func seam() {
        let statement = CheckpointStatement(day: "2026-11-22", entries: 1, hash: .numbered(1))
        #expect(CheckpointText(statement.text)?.message.text == statement.text)
    }
}
