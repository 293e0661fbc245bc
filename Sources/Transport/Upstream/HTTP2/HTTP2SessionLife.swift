import NIOCore

/// What an HTTP/2 connection has to offer, and whether its peer is still there; a value that performs nothing.
struct HTTP2SessionLife: Equatable {
    /// How long a silent peer is trusted with another request: as long as an idle HTTP/1.1 connection.
    static let trust = TimeAmount.seconds(4)
    /// How long an answer to a PING may take before requests go elsewhere.
    static let patience = TimeAmount.seconds(2)
    /// How long it may take before those under way are given up too.
    static let longPatience = TimeAmount.seconds(20)
    /// After how much silence a peer that owes answers is asked whether it is still there.
    static let silence = TimeAmount.seconds(60)
    /// After how long a connection without streams is closed; common servers do so after 75 s.
    static let idleTime = TimeAmount.seconds(60)

    /// Streams that have not ended.
    private(set) var openStreams = 0
    /// Whether a request has been made on it.
    private(set) var hasCarried = false
    /// The peer's limit of streams; nil before its settings have come.
    private(set) var limit: Int?
    private var isDraining = false
    /// Streams above it were not looked at, as the peer has said.
    private var lastStream: Int?
    private var lastReceived: NIODeadline
    private var idleSince: NIODeadline
    private var pingedAt: NIODeadline?

    /// A connection that has just been opened.
    init(at now: NIODeadline) {
        lastReceived = now
        idleSince = now
    }

    /// What is to be done with a request.
    enum Offer: Equatable {
        /// Send it here.
        case stream
        /// Send a PING: whether there is room is known when it is answered.
        case probe
        /// There may be room later.
        case later
        /// It has to go elsewhere.
        case none
    }

    /// Asks for room for a request.
    mutating func ask(at now: NIODeadline) -> Offer {
        guard !isDraining else { return .none }
        // The settings may allow as few as one, and one is allowed before they have come.
        guard openStreams < limit ?? 1, pingedAt == nil else { return .later }
        guard limit == nil || now - lastReceived <= Self.trust else {
            pingedAt = now
            return .probe
        }
        return .stream
    }

    /// How many of those who wait can hope for this connection, when the peer's limit is `guess` as long as it is unknown.
    func hope(guess: Int) -> Int {
        guard !isDraining, limit == nil || pingedAt != nil else { return 0 }
        return max(0, (limit ?? guess) - openStreams)
    }

    /// A request is sent on it.
    mutating func streamOpened() {
        openStreams += 1
        hasCarried = true
    }

    /// A stream has ended.
    mutating func streamEnded(at now: NIODeadline) {
        openStreams -= 1
        if openStreams == 0 { idleSince = now }
    }

    /// The peer's settings have come; `maximum` is how many streams they allow, where they say so.
    mutating func settingsArrived(maximum: Int?) {
        limit = maximum.map { min($0, HTTP2Options.streamLimit) } ?? limit ?? HTTP2Options.unsaidStreamLimit
    }

    /// The peer sent something.
    mutating func received(at now: NIODeadline) { lastReceived = now }

    /// The peer answered a PING.
    mutating func pongArrived(at now: NIODeadline) {
        pingedAt = nil
        lastReceived = now
    }

    /// The peer takes no more requests, and has not looked at those on streams above `last`.
    mutating func goAwayArrived(last: Int) {
        isDraining = true
        lastStream = min(last, lastStream ?? last)
    }

    /// No more requests are sent.
    mutating func drain() { isDraining = true }

    /// Whether it takes no more requests.
    var isEnding: Bool { isDraining }

    /// Whether it is of no more use: nothing is under way and nothing will be.
    var isDone: Bool { isDraining && openStreams == 0 }

    /// Whether the peer has said that it did not look at a stream.
    func wasPassedOver(stream: Int) -> Bool { lastStream.map { stream > $0 } ?? false }

    /// What is to be done now.
    enum Duty: Equatable {
        case ping
        case close
        case nothing
    }

    /// Looks at the clock; called every now and then.
    mutating func check(at now: NIODeadline) -> Duty {
        if let pingedAt {
            // Whatever it sends shows that it is there.
            let waited = now - max(pingedAt, lastReceived)
            if waited > Self.patience { isDraining = true }
            return isDone || waited > Self.longPatience ? .close : .nothing
        }
        if openStreams == 0 { return isDraining || now - idleSince > Self.idleTime ? .close : .nothing }
        guard now - lastReceived > Self.silence else { return .nothing }
        pingedAt = now
        return .ping
    }
}
