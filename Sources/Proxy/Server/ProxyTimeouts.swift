package import NIOCore

/// How long the agents' side waits for what.
package struct ProxyTimeouts: Sendable, Equatable {
    /// For a request head from its first byte, and for a request body between two pieces.
    package var read: TimeAmount
    /// Between two requests of one connection.
    package var idle: TimeAmount
    /// For the peer to close behind a last answer, once that has left.
    package var linger: TimeAmount
    /// For the answer to a payment whose agent has gone.
    package var outcome: TimeAmount
    /// For the body of a 402 whose head says everything.
    package var challenge: TimeAmount

    /// For the peer to read as much of earlier answers as the next one needs room, or all of a last one.
    package var unread = TimeAmount.seconds(60)
    /// For a TLS handshake of an agent.
    package var handshake = TimeAmount.seconds(10)
    /// For a connection to a host that an agent names.
    package var connect = TimeAmount.seconds(10)
    /// For the next byte of a tunnel, from either side.
    package var tunnel = TimeAmount.minutes(10)

    /// Half a minute for bytes, ten seconds for a handshake, two minutes between requests, two seconds behind a last answer,
    /// half a minute for an outcome, two seconds for what a 402 says twice.
    package static let standard = ProxyTimeouts(
        read: .seconds(30), idle: .seconds(120), linger: .seconds(2), outcome: .seconds(30),
        challenge: .seconds(2))

    /// Makes time-outs.
    package init(read: TimeAmount, idle: TimeAmount, linger: TimeAmount, outcome: TimeAmount, challenge: TimeAmount) {
        self.read = read
        self.idle = idle
        self.linger = linger
        self.outcome = outcome
        self.challenge = challenge
    }
}
