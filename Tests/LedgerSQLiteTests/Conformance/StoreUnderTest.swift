import Ledger
import LedgerSQLite
import Primitives
import TestSupport

/// The stores that must behave alike.
enum StoreKind: String, CaseIterable {
    case memory
    case sqlite
}

/// An empty store with what it needs to live.
struct StoreUnderTest {
    let store: any LedgerStore
    private let folder: TemporaryFolder?

    init(_ kind: StoreKind) throws {
        switch kind {
        case .memory:
            folder = nil
            store = InMemoryLedger()
        case .sqlite:
            let folder = try TemporaryFolder()
            self.folder = folder
            store = try SQLiteLedger(path: folder.path("ledger.sqlite"))
        }
    }

    /// Keeps the store's folder until here, for tests that go on with the store alone.
    func outlive() {
        withExtendedLifetime(folder) {}
    }

    /// A store with one agent, `scout`.
    static func withScout(_ kind: StoreKind, caps: String...) async throws -> StoreUnderTest {
        let subject = try StoreUnderTest(kind)
        try await subject.store.add(.sample(caps: caps.compactMap { CapLimit($0) }))
        return subject
    }
}

extension ReservationOutcome {
    /// The refusal's code, when nothing was set aside.
    var refusalCode: String? { refusal?.code }
}

extension LedgerStore {
    /// Reserves at the vectors' time plus some seconds.
    @discardableResult
    func reserve(_ intent: PaymentIntent, second: Int64 = 0) async throws(LedgerError) -> ReservationOutcome {
        try await reserve(intent, at: .vectors.adding(seconds: second))
    }

    /// Books without evidence at the vectors' time plus some seconds.
    @discardableResult
    func book(
        _ event: PaymentEvent, of intent: PaymentIntent, second: Int64 = 0
    ) async throws(LedgerError) -> PaymentRecord {
        try await book(
            event, of: intent.id, evidence: PaymentEvidence(), at: .vectors.adding(seconds: second))
    }

    /// The use of one window's cap in dollars.
    func used(_ window: CapWindow, second: Int64) async throws -> Dollars? {
        try await used(window, at: .vectors.adding(seconds: second))
    }
}
