package import NIOCore

/// How long a reading waits, and how much it takes in.
package struct ChainLimits: Sendable, Equatable {
    /// For a connection, TLS included.
    package var connect: TimeAmount
    /// For the whole answer to one batch, connecting included.
    package var answer: TimeAmount
    /// For a whole reading.
    package var reading: TimeAmount
    /// Bytes of the answer to one batch.
    package var answerBytes: Int

    /// The defaults: 5, 10 and 60 seconds, 1 MiB.
    package static let standard = ChainLimits(
        connect: .seconds(5), answer: .seconds(10), reading: .seconds(60), answerBytes: 1 << 20)

    /// Makes limits.
    package init(connect: TimeAmount, answer: TimeAmount, reading: TimeAmount, answerBytes: Int) {
        self.connect = connect
        self.answer = answer
        self.reading = reading
        self.answerBytes = answerBytes
    }
}
