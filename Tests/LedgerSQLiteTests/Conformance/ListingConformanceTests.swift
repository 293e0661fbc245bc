import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Lists of every store")
struct ListingConformanceTests {
    @Test("payments can be narrowed to a gateway, with agent and states", arguments: StoreKind.allCases)
    func gateways(_ kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        let intents = [("lab", 1), ("other", 2), ("lab", 3)].map { PaymentIntent.sample($0.1, gateway: $0.0) }
        for intent in intents { try await subject.store.reserve(intent) }
        try await subject.store.book(.settled, of: intents[0])
        func list(_ filter: PaymentFilter) async throws -> [PaymentID] {
            try await subject.store.payments(filter).map(\.id)
        }
        #expect(try await list(PaymentFilter(gateway: "lab")) == [intents[2].id, intents[0].id])
        #expect(try await list(PaymentFilter(gateway: "lab", states: [.reserved])) == [intents[2].id])
        #expect(try await list(PaymentFilter(agent: "scout", gateway: "other")) == [intents[1].id])
        #expect(try await list(PaymentFilter(gateway: "none")) == [])
        subject.outlive()
    }

    @Test("the newest entries of a kind come newest first", arguments: StoreKind.allCases)
    func entries(_ kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5", "day=1")
        try await subject.store.reserve(.sample(1))
        _ = try await subject.store.notice("balance-low", about: "gateway:lab", detail: nil, at: .vectors)
        let numbers = try await subject.store.read { (snapshot) throws(LedgerError) in
            [
                try snapshot.newestEntries(of: .cap, limit: 10), try snapshot.newestEntries(of: .cap, limit: 1),
                try snapshot.newestEntries(of: .notice, limit: 10), try snapshot.newestEntries(of: .freeze, limit: 10),
            ].map { $0.map(\.number) }
        }
        #expect(numbers == [[3, 2], [3], [5], []])
        subject.outlive()
    }
}
