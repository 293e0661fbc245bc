import NIOCore
import Transport

/// The agent's side of one exchange, as the exchange sees it.
///
/// Called on the event loop.
protocol AgentChannel: AnyObject {
    /// Writes a part of the response.
    func write(_ bytes: ByteBuffer)
    /// Hands everything written to the socket.
    func flush()
    /// The same, and says once whether the socket has taken everything; false when the agent has gone before.
    func flush(_ done: @escaping (Bool) -> Void)
    /// Whether writing more now would only fill memory.
    var isWritable: Bool { get }
    /// Stops or resumes reading the request body.
    func setReadingBody(_ isReading: Bool)
    /// The response is complete; `closing` ends the connection after it. `isOwnAnswer` says that it did not take a gateway's
    /// answer to make it.
    func exchangeDidFinish(closing: Bool, isOwnAnswer: Bool)
    /// The gateway has switched protocols and the agent has been told: both connections become a tunnel.
    func exchangeDidSwitch(on upstream: UpstreamConnection, as tunnel: TunnelSlot)
    /// The response broke off and cannot be completed: the connection must end here, and with a reset where an
    /// orderly end would pass for the end of the body.
    func exchangeDidBreak(isConnectionFramed: Bool)
}
