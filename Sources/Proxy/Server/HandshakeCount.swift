/// How many TLS handshakes of strangers are under way on one event loop: each costs memory and time before anybody knows who
/// it is.
///
/// Not thread-safe: used on its loop only.
final class HandshakeCount {
    /// The most at once, and the most from one address: a network may hide many agents behind one.
    static let limit = 512
    static let addressLimit = 128

    private var total = 0
    private var byAddress: [String: Int] = [:]

    /// A handshake under way, until nobody holds it any more.
    final class Place {
        private let count: HandshakeCount
        private let address: String

        fileprivate init(_ count: HandshakeCount, _ address: String) {
            self.count = count
            self.address = address
        }

        deinit { count.end(address) }
    }

    /// Takes one more; nil when there are as many as there may be.
    func begin(from address: String) -> Place? {
        let known = byAddress[address, default: 0]
        guard total < Self.limit, known < Self.addressLimit else { return nil }
        total += 1
        byAddress[address] = known + 1
        return Place(self, address)
    }

    private func end(_ address: String) {
        total -= 1
        let left = byAddress[address, default: 0] - 1
        byAddress[address] = left > 0 ? left : nil
    }
}
