import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("What the gateway settles of an upto payment")
struct UptoTests {
    @Test(
        "a share of the maximum is taken and told",
        arguments: [(40, "120000000000000"), (1, "3000000000000"), (99, "297000000000000"), (100, "300000000000000")])
    func share(percent: Int, amount: String) throws {
        let shop = try Shop(upto: UptoSettlement(percent: percent))
        let draft = try shop.permit(.upto)
        let reply = try shop.pay(draft, .upto)
        let taken = try UInt256(decimal: amount)
        let report = try #require(reply.settlement())
        #expect(report.success && report.amount == taken && report.transaction != nil)
        #expect(shop.held == Permit2Tests.opening.subtracting(taken))
        let settlement = try #require(shop.gateway.settlements.first)
        #expect(settlement.amount == taken && settlement.authorized == Permit2Tests.price)
        #expect(try shop.pay(draft, .upto) == reply)
        #expect(shop.gateway.settlements.count == 1)
    }

    @Test("an amount that is not told is taken all the same")
    func untold() throws {
        let shop = try Shop(upto: UptoSettlement(percent: 40, isTold: false))
        let report = try #require(try shop.pay(shop.permit(.upto), .upto).settlement())
        #expect(report.success && report.amount == nil && report.transaction != nil)
        #expect(shop.gateway.settlements.map(\.amount) == [try UInt256(decimal: "120000000000000")])
    }

    @Test("nothing taken is no transaction and uses no nonce: the same signature pays for the next request")
    func zero() throws {
        let shop = try Shop(upto: UptoSettlement(percent: 0))
        let draft = try shop.permit(.upto)
        let report = try #require(try shop.pay(draft, .upto).settlement())
        #expect(report.success && report.amount == .zero && report.transaction == nil)
        #expect(shop.held == Permit2Tests.opening)
        #expect(try shop.pay(draft, .upto, for: Shop.body("another prompt")).status == 200)
        #expect(shop.gateway.settlements.map(\.amount) == [.zero, .zero])
        #expect(shop.gateway.settlements.allSatisfy { $0.transaction == nil })
    }

    @Test("nobody but the named facilitator may be let settle")
    func facilitator() throws {
        let shop = try Shop()
        var draft = try shop.permit(.upto)
        draft.facilitator = Shop.payTo
        let reply = try shop.pay(draft, .upto)
        #expect(try Challenge.read(reply.challengeSource).error == "upto_facilitator_mismatch")
        #expect(shop.gateway.settlements.isEmpty)
    }

    @Test("the payer has to hold the maximum, though less is taken")
    func balance() throws {
        let shop = try Shop(initialBalance: UInt256(419), upto: UptoSettlement(percent: 40))
        #expect(try shop.pay(shop.permit(.upto, nonce: 1), .upto).status == 200)
        let reply = try shop.pay(shop.permit(.upto, nonce: 2), .upto)
        #expect(try Challenge.read(reply.challengeSource).error == "permit2_insufficient_balance")
        #expect(shop.held == UInt256(299_000_000_000_000))
    }

    @Test("shares are rounded down, in range, and never overflow")
    func rounding() {
        #expect(UptoSettlement(percent: 40).amount(of: UInt256(4)) == UInt256(1))
        #expect(UptoSettlement(percent: 99).amount(of: UInt256(1)) == .zero)
        #expect(UptoSettlement(percent: 100).amount(of: .max) == .max)
        #expect(UptoSettlement(percent: 99).amount(of: .max) < .max)
        #expect(UptoSettlement(percent: 50).amount(of: .max) == UInt256(high: .max >> 1, low: .max))
        #expect(UptoSettlement(percent: 101).percent == 100)
        #expect(UptoSettlement(percent: -1).percent == 0)
    }
}
