import CoreMetrics
import Testing

@testable import Telemetry

@Suite("Metrics")
struct MetricsTests {
    @Test(
        "a duration counts in the bucket that ends at it or above it, and in all wider ones",
        arguments: [
            (0, 0), (1, 0), (1000, 0), (1001, 1), (2000, 1), (2001, 2), (4000, 2), (1_000_000, 10), (8_388_608_000, 23),
            (8_388_608_001, 24), (Int64.max, 24), (-5, 0),
        ] as [(Int64, Int)])
    func bucket(nanoseconds: Int64, bucket: Int) {
        let histogram = LatencyHistogram()
        histogram.recordNanoseconds(nanoseconds)
        let (buckets, sum) = histogram.cumulative
        #expect(buckets == (0...LatencyHistogram.bounded).map { $0 >= bucket ? 1 : 0 })
        #expect(sum == UInt64(max(0, nanoseconds)))
    }

    @Test("what somebody else counts is read at each asking, in order")
    func samples() {
        let registry = MetricsRegistry()
        let count = EventCount()
        registry.sample("purser_open", as: .gauge) {
            [.init([("b", "y")], count.value), .init([("b", "x\""), ("a", "1")], 2)]
        }
        registry.sample("purser_ended", as: .counter) { [.init([], 4)] }
        for number in [0, 1] {
            #expect(
                registry.text == """
                    # TYPE purser_ended_total counter
                    purser_ended_total 4
                    # TYPE purser_open gauge
                    purser_open{a="1",b="x\\""} 2
                    purser_open{b="y"} \(number)

                    """)
            count.increment(by: 1)
        }
    }

    @Test("the text is what Prometheus reads: cumulative buckets, sum and count, in seconds")
    func text() {
        let registry = MetricsRegistry()
        let timer = Timer(label: "purser_forward", dimensions: [("loop", "a\"b\\")], factory: registry)
        for microseconds: Int64 in [1, 3, 3, 1_500_000] { timer.recordNanoseconds(microseconds * 1000) }
        let count = Counter(label: "purser_requests", dimensions: [], factory: registry)
        count.increment(by: 3)
        let lines = registry.text.split(separator: "\n").map(String.init)
        let front = #"purser_forward_seconds_bucket{loop="a\"b\\","#
        #expect(
            lines[0...2] == [
                "# TYPE purser_requests_total counter", "purser_requests_total 3",
                "# TYPE purser_forward_seconds histogram",
            ])
        #expect(lines[3] == front + #"le="0.000001000"} 1"#)
        #expect(lines[5] == front + #"le="0.000004000"} 3"#)
        #expect(lines[27] == front + #"le="+Inf"} 4"#)
        #expect(lines[28] == #"purser_forward_seconds_sum{loop="a\"b\\"} 1.500007000"#)
        #expect(lines[29] == #"purser_forward_seconds_count{loop="a\"b\\"} 4"#)
        #expect(lines.count == 30 && registry.text.hasSuffix("\n"))
    }

    @Test("the same name is the same metric, whoever asks for it")
    func shared() {
        let registry = MetricsRegistry()
        for _ in 0..<2 {
            Counter(label: "purser_x", dimensions: [("b", "1"), ("a", "2")], factory: registry).increment()
        }
        Counter(label: "purser_x", dimensions: [("a", "2"), ("b", "1")], factory: registry).increment()
        #expect(registry.text == "# TYPE purser_x_total counter\npurser_x_total{a=\"2\",b=\"1\"} 3\n")
    }
}
