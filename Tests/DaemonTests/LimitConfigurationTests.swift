import NIOCore
import Payments
import Proxy
import Testing

@testable import Daemon

@Suite("Configuration: limits")
struct LimitConfigurationTests {
    @Test("a gateway has the limits of its entry, and none unless it says so")
    func gateways() throws {
        let gateways = try read(
            """
            gateways:
              lab: { url: http://127.0.0.1:1, max-connections: 8, max-request-body: 2MiB, total-timeout: 15m }
              open: { url: https://api.example }
            """
        ).get().gateways
        #expect(gateways[0].limits == Gateway.Limits(connections: 8, requestBody: 2 << 20))
        #expect(gateways[0].timeouts.total == .minutes(15))
        #expect(gateways[0].limitWords == "8 at once, 2097152 bytes, 900000 ms")
        #expect(gateways[1].limits == .none && gateways[1].timeouts.total == nil && gateways[1].limitWords.isEmpty)
        let gateway = try Unlocking.gateway(gateways[0]) { $0 }
        #expect(gateway.limits == gateways[0].limits && gateway.timeouts == gateways[0].timeouts)
    }

    @Test("agents' connections are limited, and one agent never to more than all")
    func connections() throws {
        #expect(try read("").get().connections == .standard)
        #expect(
            try read("connections: { total: 100, per-agent: 7 }").get().connections
                == ConnectionLimits(total: 100, perAgent: 7))
        #expect(
            try read("connections: { total: 100 }").get().connections == ConnectionLimits(total: 100, perAgent: 50))
    }

    @Test("what agents share has a total of its own, and a usual one without a line in the file")
    func pots() throws {
        let usual = try read("").get()
        #expect(usual.spool == .standard && usual.spool.total == 4 << 30 && usual.spool.path == nil)
        #expect(usual.paymentPots == .standard)
        let other = try read(
            """
            spool: { total: 10GiB, path: /var/tmp/purser }
            learned-prices: { total: 500 }
            approval-turns: { total: 20 }
            """
        ).get()
        #expect(other.spool == Configuration.Spool(total: 10 << 30, path: "/var/tmp/purser"))
        #expect(other.paymentPots == PaymentPots(learnedPrices: 500, approvalTurns: 20))
        #expect(usual.differences(needingRestart: other) == ["spool", "learned-prices", "approval-turns"])
        #expect(ConnectionLimits(total: 100, perAgent: 50).strangers == 25)
        #expect(ConnectionLimits(total: 100, perAgent: 50).agents == 75)
    }

    @Test("half of the descriptors that are left are for agents, whatever the file says")
    func descriptors() {
        let limits = ConnectionLimits(total: 10_000, perAgent: 9_000)
        #expect(DescriptorLimit(count: 1 << 20).fitting(limits) == limits)
        #expect(DescriptorLimit(count: 1024).fitting(limits) == ConnectionLimits(total: 472, perAgent: 236))
        #expect(DescriptorLimit(count: 20).fitting(limits) == ConnectionLimits(total: 16, perAgent: 8))
        #expect(DescriptorLimit(count: 4096).fitting(ConnectionLimits(total: 50, perAgent: 5)).perAgent == 5)
        DescriptorLimit.raise()
        #expect(DescriptorLimit.current.count >= 256)
    }
}
