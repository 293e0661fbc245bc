/// What a peer makes libssl do after the handshake that brings the application nothing: key updates, session tickets,
/// attempts to renegotiate and alerts.
///
/// libssl takes any number of them, and each key update costs more CPU than 1 KiB of data. A peer has ``allowance`` steps of
/// libssl's handshake machine, four or more to a key update and its answer, and one more for each 16 KiB that it sends.
struct TLSUpkeep {
    /// How many steps come with no data at all: a few tickets are usual, and a key update follows gigabytes.
    static let allowance = 256
    private static let bytesPerStep = 16 * 1024
    /// What ends a connection with more of them.
    static let reason = "too many key updates, session tickets or alerts"

    private var isOpen = false
    private var steps = 0
    private var bytes = 0

    /// The handshake is over.
    mutating func begin() { isOpen = true }

    /// The peer has caused one.
    mutating func noteStep() { if isOpen { steps += 1 } }

    /// The peer has sent data.
    mutating func noteBytes(_ count: Int) { bytes += count }

    /// Whether there were too many.
    var isExceeded: Bool { steps > Self.allowance + bytes / Self.bytesPerStep }
}
