import Primitives

/// Tells every two seconds how the pots are divided that the agents share, where that has changed.
struct PotWatch: Sendable {
    private static let pause = Duration.seconds(2)

    /// Looks at all pots.
    let pots: @Sendable () -> [PotSnapshot]
    /// Told how they are.
    let tell: @Sendable ([PotSnapshot]) -> Void

    /// Tells until its task is cancelled.
    func run() async {
        var told: [PotSnapshot]?
        while !Task.isCancelled {
            let now = pots()
            if now != told {
                tell(now)
                told = now
            }
            try? await ContinuousClock().sleep(for: Self.pause)
        }
    }
}
