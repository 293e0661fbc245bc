import Policy
import Primitives

/// The CPU that a policy's rules take for a path, however long it is and however it is built.
enum Rules {
    /// How many rules look at the path.
    static let count = 30

    private static let patterns: [(name: String, pattern: String)] = [
        ("prefix first", "/v1/private/**"), ("stars first", "**/private/*"),
        ("stars only", String(repeating: "*a", count: 100) + "b*"),
    ]
    private static let lengths = [20, PolicyRules.maximumPathBytes]

    /// Prints the median for each pattern and length, in microseconds for all rules.
    static func measure(rounds: Int) throws {
        print("\n| \(count) rules about the path | \(lengths.map { "\($0) B" }.joined(separator: " | ")) |")
        print("|---|---:|---:|")
        for (name, pattern) in patterns {
            guard let glob = Glob(pattern) else { throw BenchError("\(pattern) is no pattern") }
            let rules = PolicyRules(
                (0..<count).map {
                    PolicyRule(name: "\($0)", matchers: [.oneOf(.path, [.glob(glob)])], outcome: .refuse)
                })
            let cells = lengths.map { length in
                let subject = subject(path: "/" + String(repeating: "a/", count: length / 2))
                let clock = ContinuousClock()
                let times = (0..<rounds).map { _ in
                    clock.measure { precondition(rules.verdict(on: subject).outcome == .approve) } / .nanoseconds(1)
                }
                return "\((times.sorted()[rounds / 2] / 100).rounded() / 10) µs"
            }
            print("| \(name): `\(pattern.prefix(14))` | \(cells.joined(separator: " | ")) |")
        }
    }

    private static func subject(path: String) -> PolicySubject {
        PolicySubject(
            request: GateRequest(
                agent: "scout", team: nil, gateway: "lab", host: "x", method: "POST", path: path, model: .known("light")
            ),
            scheme: "exact", paymentMethod: "exact-eip3009", network: "eip155:8453", symbol: "USDC", asset: "0x",
            payee: "0x", amount: UInt256(1), value: .zero, window: 60, payeeIsNew: false, priceRatio: .absent,
            time: Timestamp(seconds: 1_795_305_600))
    }
}
