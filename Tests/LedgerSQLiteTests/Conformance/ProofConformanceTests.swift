import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store ends exposure on proof alone")
struct ProofConformanceTests {
    @Test("the evil sequence: 402, success:false, a time-out, then a settlement at validBefore - 1")
    func evilSequence() async throws {
        for kind in StoreKind.allCases {
            let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=0.03")
            let store = subject.store
            let policy = OverduePolicy(proven: ["eip155:42161"])
            for (number, event) in zip((1 as UInt64)..., [PaymentEvent.rejected, .rejected, .lostSight]) {
                try await store.reserve(.sample(number))
                try await store.book(event, of: .sample(number))
            }
            // The seller has said no three times, and every cent is still counted.
            #expect(try await store.reserve(.sample(4)).refusalCode == "cap-lifetime")
            let late = Timestamp.vectors.adding(seconds: 10_000)
            #expect(try await store.closeOverdue(policy, at: late).value == 0)
            #expect(try await store.reserve(.sample(5, validFor: 10_300), at: late).refusalCode == "cap-lifetime")
            // The chain: the first was taken at the last moment, the others never.
            #expect(try await store.unproven(network: "eip155:42161", limit: 10).value.count == 3)
            #expect(try await store.book(.provenUsed, of: .sample(1), second: 10_000).state == .confirmed)
            for number: UInt64 in 2...3 {
                #expect(try await store.book(.provenUnused, of: .sample(number), second: 10_000).state == .released)
            }
            #expect(try await store.used(.lifetime, at: late) == .cents(1))
            #expect(try await store.reserve(.sample(6, value: .cents(3)), at: late).refusalCode == "cap-lifetime")
            #expect(try await store.reserve(.sample(7, value: .cents(2)), at: late).record != nil)
        }
    }

    @Test(
        "without a chain, expiry presumes; the chain turns that into confirmed or released",
        arguments: StoreKind.allCases)
    func presumption(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        for number: UInt64 in 1...3 {
            try await subject.store.reserve(.sample(number))
            try await subject.store.book(.lostSight, of: .sample(number))
        }
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: .vectors.adding(seconds: 400)).value == 3)
        #expect(try await subject.store.used(.lifetime, second: 400) == .cents(3))
        #expect(try await subject.store.book(.provenUsed, of: .sample(1), second: 400).state == .confirmed)
        #expect(try await subject.store.book(.provenUnused, of: .sample(2), second: 400).state == .released)
        #expect(try await subject.store.used(.lifetime, second: 400) == .cents(2))
        #expect(
            try await subject.store.unproven(network: "eip155:42161", limit: 10).value.map(\.id)
                == [PaymentIntent.sample(3).id])
        #expect(try await subject.store.unproven(network: "eip155:1", limit: 10).value.isEmpty)
    }

    @Test(
        "an operator's release at expiry gives back, and a late settlement counts again", arguments: StoreKind.allCases)
    func lapse(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5", "day=5")
        try await subject.store.reserve(.sample(1))
        try await subject.store.reserve(.sample(2, gateway: "strict"))
        for number: UInt64 in 1...2 { try await subject.store.book(.rejected, of: .sample(number)) }
        let policy = OverduePolicy(lapsing: ["lab"])
        #expect(try await subject.store.closeOverdue(policy, at: .vectors.adding(seconds: 361)).value == 2)
        #expect(try await subject.store.payment(PaymentIntent.sample(1).id)?.state == .lapsed)
        #expect(try await subject.store.payment(PaymentIntent.sample(2).id)?.state == .presumed)
        #expect(try await subject.store.used(.lifetime, second: 361) == .cents(1))
        #expect(try await subject.store.book(.settled, of: .sample(1), second: 361).state == .settled)
        #expect(try await subject.store.used(.lifetime, second: 361) == .cents(2))
        #expect(try await subject.store.used(.day, second: 361) == .cents(2))
    }

    @Test(
        "of 5,000 payments in doubt of one agent and one of another, the other's is read in the first round",
        arguments: StoreKind.allCases)
    func rounds(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=1000")
        defer { subject.outlive() }
        let store = subject.store
        for (number, name) in ["ada", "mallory"].enumerated() {
            try await store.add(.sample(name, number: UInt64(number + 2), caps: [CapLimit(.lifetime, .cents(100_000))]))
        }
        let many: UInt64 = kind == .sqlite ? 5000 : 700
        // The dust is older, and its windows end before.
        for first in stride(from: 1, through: many, by: 500) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in first..<min(first + 500, many + 1) {
                    group.addTask {
                        let dust = PaymentIntent.sample(
                            number, agent: "mallory", value: Dollars(nanodollars: 1000) ?? .zero, validFor: 300)
                        try await store.reserve(dust)
                        try await store.book(.lostSight, of: dust)
                    }
                }
                try await group.waitForAll()
            }
        }
        for (number, agent) in [(many + 1, "scout"), (many + 2, "ada"), (many + 3, "ada")] {
            let honest = PaymentIntent.sample(number, agent: agent, validFor: 600)
            try await store.reserve(honest)
            try await store.book(.lostSight, of: honest)
        }
        let network = "eip155:42161"
        var round = AgentRound()
        var seen: [PaymentID: Int] = [:]
        var left = Int(many)
        while left > 0 {
            let reading = try await store.unproven(network: network, limit: 100, in: round)
            round = reading.next
            let agents = Dictionary(grouping: reading.payments.value, by: \.purpose.agent).mapValues(\.count)
            #expect(agents == ["scout": 1, "ada": 2, "mallory": min(97, left)])
            for record in reading.payments.value { seen[record.id, default: 0] += 1 }
            left -= 97
        }
        #expect(seen.count == Int(many) + 3, "each was read by the end of a round of its own agent")
    }

    @Test("of more agents than a reading has places, each has its turn", arguments: StoreKind.allCases)
    func manyAgents(kind: StoreKind) async throws {
        let subject = try StoreUnderTest(kind)
        defer { subject.outlive() }
        let names = (1...7).map { "agent\($0)" }
        for (number, name) in names.enumerated() {
            try await subject.store.add(.sample(name, number: UInt64(number + 1), caps: [CapLimit(.day, .cents(100))]))
            for offset: UInt64 in 0..<2 {
                let intent = PaymentIntent.sample(UInt64(number) * 2 + offset + 1, agent: name)
                try await subject.store.reserve(intent)
                try await subject.store.book(.lostSight, of: intent)
            }
        }
        var round = AgentRound()
        var turns: [[String]] = []
        for _ in 0..<5 {
            let reading = try await subject.store.unproven(network: "eip155:42161", limit: 3, in: round)
            turns.append(reading.payments.value.map(\.purpose.agent))
            round = reading.next
        }
        #expect(
            turns == [
                ["agent1", "agent2", "agent3"], ["agent4", "agent5", "agent6"], ["agent7", "agent1", "agent2"],
                ["agent3", "agent4", "agent5"], ["agent6", "agent7", "agent1"],
            ])
    }

    @Test("money stands where the state says, and every asset adds up", arguments: StoreKind.allCases)
    func accounts(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        let store = subject.store
        let payer = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
        let asset = "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
        try await store.adjust(
            Adjustment(kind: .opening, wallet: payer, asset: asset, amount: UInt256(1_000_000), note: nil), by: "ann",
            at: .vectors)
        for number: UInt64 in 1...4 { try await store.reserve(.sample(number)) }
        try await store.book(.settled, of: .sample(1))
        try await store.book(.servedUnproven, of: .sample(2))
        try await store.book(.neverSent, of: .sample(3))
        let balances = try await store.read { (books) throws(LedgerError) in try books.balances() }
        func net(_ account: Account) -> Int64? {
            balances.first { $0.account == account && $0.asset == asset }.map {
                Int64($0.debits.uint64 ?? 0) - Int64($0.credits.uint64 ?? 0)
            }
        }
        let payTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
        #expect(net(.wallet(payer)) == 970_000)
        #expect(net(.exposed(agent: "scout")) == 10_000)
        #expect(net(.spent(agent: "scout", payee: payTo)) == 10_000)
        #expect(net(.presumed(agent: "scout", payee: payTo)) == 10_000)
        #expect(net(.opening(payer)) == -1_000_000)
        #expect(balances.compactMap { net($0.account) }.reduce(0, +) == 0)
    }
}
