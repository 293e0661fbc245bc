/// Measures the CPU of one payment from the bytes of a challenge to those of the header, and that of a policy's rules about
/// long paths, at the median.
@main
struct GateBench {
    /// What parsing, deciding and signing may take at the median, in microseconds.
    private static let aim = 120.0

    static func main() {
        do {
            try run(Options(CommandLine.arguments.dropFirst()))
        } catch {
            giveUp("\(error)")
        }
    }

    private static func run(_ options: Options) throws {
        var payer = try Payer()
        print("| Challenge | parse | decide | sign | write | parse to sign | 99 % | aim | header |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        for sample in try Samples.all(from: options.vectors) {
            var all: [Steps] = []
            var bytes = 0
            // The first payments warm caches and tables, and are not counted.
            for round in 0..<(options.payments + options.payments / 10) {
                let (steps, count) = try payer.pay(sample, nonce: UInt64(round + 1))
                bytes = count
                if round >= options.payments / 10 { all.append(steps) }
            }
            let vetted = all.map { $0.total - $0.write }
            let cells = [
                share(all.map(\.parse)), share(all.map(\.decide)), share(all.map(\.sign)), share(all.map(\.write)),
                share(vetted), share(vetted, 0.99), aim,
            ]
            let figures = cells.map { "\(($0 * 10).rounded() / 10) µs" }.joined(separator: " | ")
            print("| \(sample.name) | \(figures) | \(bytes) B |")
        }
        try Rules.measure(rounds: 200)
    }

    /// The value that this share of the values does not exceed, in microseconds.
    private static func share(_ values: [Int64], _ share: Double = 0.5) -> Double {
        let sorted = values.sorted()
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1000
    }
}

/// What may be asked of the program.
struct Options {
    /// Counted payments of each challenge.
    var payments = 5000
    /// The file of vectors that holds the SDK's challenges.
    var vectors = "Specs/vectors/x402-vectors.json"

    init(_ arguments: some Sequence<String>) throws(BenchError) {
        var rest = arguments.makeIterator()
        while let name = rest.next() {
            switch (name, rest.next()) {
            case ("--payments", let value?):
                guard let number = Int(value), number >= 10 else { throw BenchError("\(value) is too few payments") }
                payments = number
            case ("--vectors", let value?): vectors = value
            default: throw BenchError("usage: gate-bench [--payments N] [--vectors PATH]")
            }
        }
    }
}
