import Ledger
import Primitives
import TestSupport
import Testing

/// Hashes worked out by another program from the words of Specs/journal.md.
@Suite("The hash of an entry")
struct JournalEntryTests {
    private static let previous = Bytes32(0..<32) ?? .zero
    private static let time = Timestamp(milliseconds: 1_795_305_600_123)

    private func hash(_ line: JournalLine) -> String {
        JournalEntry.hash(of: line, number: 7, at: Self.time, behind: Self.previous).description
    }

    @Test("every field of an entry is in its hash")
    func whole() {
        let transfer = Transfer(
            debit: .spent(agent: "scout", payee: "0x01"), credit: .exposed(agent: "scout"),
            asset: "eip155:42161/0xfd", amount: UInt256(300))
        let line = JournalLine(
            .payment, subject: "pay_0123456789abcdef0123456789abcdef", cause: "settled", state: .settled,
            transfer: transfer, actor: "ann", detail: #"{"a":1}"#, terms: Bytes32([UInt8](repeating: 1, count: 32)))
        #expect(hash(line) == "0xff24ef0bd0484a00eca0fcb83eea8af03a04daa88f229e2aa805d9dbcd520f24")
    }

    @Test("a field without a value is not the same as an empty one")
    func bare() {
        #expect(
            hash(JournalLine(.agent, subject: "scout", cause: "added"))
                == "0x9b65884b6eb70b0bba206666cfe0f95b6c31a37afae36af7bec8d41dfceb4374")
        #expect(
            hash(JournalLine(.agent, subject: "scout", cause: "added"))
                != hash(JournalLine(.agent, subject: "scout", cause: "added", detail: "")))
    }
}
