import Primitives
import Telemetry
import Testing

@testable import Daemon

@Suite("How operators see what agents share")
struct PotReportTests {
    private static let pots = [
        PotSnapshot(
            name: "spool", gateway: nil, unit: .bytes, total: 4 << 30, used: 3 << 20, lent: 1 << 20, share: 2 << 30,
            refused: 7, takenBack: 1, top: [.init(agent: "scout", held: 2 << 20), .init(agent: "other", held: 1 << 20)]),
        PotSnapshot(
            name: "gateway-places", gateway: "lab", unit: .count, total: 40, used: 0, lent: 0, share: 30, refused: 0,
            takenBack: 0, top: []),
    ]

    @Test("what a daemon writes of its pots is what status reads")
    func report() throws {
        let report = PotReport(process: 42, at: "2026-12-01T00:00:00Z", pots: Self.pots)
        #expect(PotReport(report.text) == report)
        #expect(PotReport("{}") == nil && PotReport("no JSON") == nil)
    }

    @Test("a scraper sees each pot's total, what is used, lent and held, refused and taken back")
    func metrics() {
        let registry = MetricsRegistry()
        PotMetrics.show({ Self.pots }, in: registry)
        let lines = Set(registry.text.split(separator: "\n").map(String.init))
        for line in [
            #"purser_pot_size{pot="spool",unit="bytes"} 4294967296"#,
            #"purser_pot_used{pot="spool",unit="bytes"} 3145728"#,
            #"purser_pot_lent{pot="spool",unit="bytes"} 1048576"#,
            #"purser_pot_share{gateway="lab",pot="gateway-places",unit="count"} 30"#,
            #"purser_pot_refused_total{pot="spool",unit="bytes"} 7"#,
            #"purser_pot_taken_back_total{pot="spool",unit="bytes"} 1"#,
            #"purser_pot_held{agent="scout",pot="spool",unit="bytes"} 2097152"#,
        ] { #expect(lines.contains(line), "\(line)") }
    }
}
