import NIOCore
import Transport

/// How many TLS handshakes of strangers are under way on one event loop: each costs memory and time before anybody knows who
/// it is.
///
/// Where there are as many as there may be, the oldest makes room, so that nobody keeps agents out by beginning handshakes.
/// Not thread-safe: used on its loop only.
final class HandshakeCount {
    /// The most at once, and the most from one address: a network may hide many agents behind one.
    static let limit = 512
    static let addressLimit = 128

    private var total = 0
    private var byAddress: [[UInt8]: Int] = [:]
    /// Those under way in the order in which they began, among others that have ended.
    private var order = CircularBuffer<Entry>()

    private struct Entry {
        weak var place: Place?
    }

    /// A handshake under way, until nobody holds it any more.
    final class Place {
        private let count: HandshakeCount
        fileprivate let address: [UInt8]
        fileprivate let cutOff: () -> Void
        fileprivate var isCounted = true

        fileprivate init(_ count: HandshakeCount, _ address: [UInt8], cutOff: @escaping () -> Void) {
            self.count = count
            self.address = address
            self.cutOff = cutOff
        }

        deinit { count.end(self) }
    }

    /// Takes one more; `cutOff` ends it when it has to make room.
    func begin(from address: SocketAddress?, cutOff: @escaping () -> Void) -> Place {
        let address = Self.network(of: address)
        if byAddress[address, default: 0] >= Self.addressLimit {
            makeRoom { $0.address == address }
        } else if total >= Self.limit {
            makeRoom { _ in true }
        }
        let place = Place(self, address, cutOff: cutOff)
        total += 1
        byAddress[address, default: 0] += 1
        if order.count > 2 * total + 64 { order = CircularBuffer(order.filter { $0.place?.isCounted == true }) }
        order.append(Entry(place: place))
        return place
    }

    /// Who has IPv6 has a network of 64 bits at least.
    private static func network(of address: SocketAddress?) -> [UInt8] {
        let bytes = address?.ipAddress.flatMap { IPAddress.bytes(of: $0) } ?? []
        return bytes.count == 16 ? Array(bytes.prefix(8)) : bytes
    }

    private func makeRoom(_ mayGo: (Place) -> Bool) {
        for entry in order {
            guard let place = entry.place, place.isCounted, mayGo(place) else { continue }
            end(place)
            return place.cutOff()
        }
    }

    private func end(_ place: Place) {
        guard place.isCounted else { return }
        place.isCounted = false
        total -= 1
        let left = byAddress[place.address, default: 0] - 1
        byAddress[place.address] = left > 0 ? left : nil
    }
}
