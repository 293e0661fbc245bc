import NIOCore

/// Where a connection is between its channel's birth and death, and what each event therefore means.
///
/// A value that performs nothing: ``TLSHandler`` reports what happened and does what it is told.
struct TLSLifecycle {
    private enum Phase {
        /// The channel is not active yet.
        case idle
        case handshaking
        /// Bytes flow both ways.
        case open
        /// We have sent a close_notify but still listen.
        case outputClosed
        /// The peer has sent a close_notify; what is left is to answer and close.
        case inputClosed
        /// Both have sent a close_notify; what is left is to close.
        case bothClosed
        /// Nothing more is read or written.
        case closed
    }

    private var phase = Phase.idle

    var isHandshaking: Bool { phase == .handshaking }

    /// Whether ciphertext from the channel still means anything.
    var takesInput: Bool {
        switch phase {
        case .handshaking, .open, .outputClosed: true
        case .idle, .inputClosed, .bothClosed, .closed: false
        }
    }

    /// Whether plaintext can be encrypted now.
    var canEncrypt: Bool { phase == .open || phase == .inputClosed }

    /// Whether the channel is to be closed once the application has seen everything that was read.
    var hasReceivedCloseNotify: Bool { phase == .inputClosed || phase == .bothClosed }

    /// The channel is active.
    ///
    /// False if the handshake has been started before.
    mutating func start() -> Bool {
        guard phase == .idle else { return false }
        phase = .handshaking
        return true
    }

    mutating func handshakeFinished() {
        precondition(phase == .handshaking, "a handshake finished that was not under way")
        phase = .open
    }

    /// The peer's close_notify was read.
    mutating func closeNotifyReceived() {
        precondition(takesInput, "a close_notify was read after the end of the input")
        phase = phase == .outputClosed ? .bothClosed : .inputClosed
    }

    enum WriteAction {
        /// Keep it until the handshake is over.
        case queue
        case encrypt
        case reject(ChannelError)
    }

    /// What to do with a write.
    var writeAction: WriteAction {
        switch phase {
        case .idle, .handshaking: .queue
        case .open, .inputClosed: .encrypt
        case .outputClosed, .bothClosed: .reject(.outputClosed)
        case .closed: .reject(.ioOnClosedChannel)
        }
    }

    enum CloseAction {
        /// Send a close_notify, then close the channel.
        case sayGoodbye
        /// Close the channel: there is nobody to say goodbye to, or it has been said.
        case silently
    }

    /// Both directions are closed from our side.
    mutating func close() -> CloseAction {
        defer { phase = .closed }
        return canEncrypt ? .sayGoodbye : .silently
    }

    /// Our direction is closed.
    ///
    /// Throws `operationUnsupported` before the end of the handshake, since what was written
    /// so far still waits for it, and `outputClosed` or `alreadyClosed` the second time.
    mutating func closeOutput() throws(ChannelError) {
        switch phase {
        case .idle, .handshaking: throw .operationUnsupported
        case .open: phase = .outputClosed
        case .inputClosed: phase = .bothClosed
        case .outputClosed, .bothClosed: throw .outputClosed
        case .closed: throw .alreadyClosed
        }
    }

    /// The channel's input ended.
    ///
    /// Returns the error this is, or nil if it was announced or is our own doing.
    mutating func inputEnded() -> TLSError? {
        defer { phase = .closed }
        switch phase {
        case .handshaking: return .handshakeInterrupted
        case .open, .outputClosed: return .truncated
        case .idle, .inputClosed, .bothClosed, .closed: return nil
        }
    }

    /// The connection failed.
    ///
    /// False if it was over already, and the failure therefore of no interest.
    mutating func fail() -> Bool {
        defer { phase = .closed }
        return phase != .closed
    }
}
