import NIOCore
import Transport

/// How many TLS handshakes of strangers are under way on one event loop, and how many may begin: each costs memory and time
/// before anything is known of who asks.
///
/// Where there are as many as there may be, the oldest makes room, so that unfinished handshakes keep no agent out; what a
/// handshake costs in CPU is limited by ``HandshakePace``. Not thread-safe: used on its loop only.
final class HandshakeCount {
    /// The most at once, and the most from one address: a network may hide many agents behind one.
    static let limit = 512
    static let addressLimit = 128

    private var pace = HandshakePace()
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
        private var grant: HandshakePace.Grant?

        fileprivate init(_ count: HandshakeCount, _ address: [UInt8], cutOff: @escaping () -> Void) {
            self.count = count
            self.address = address
            self.cutOff = cutOff
        }

        /// Whether the handshake may go on after its hello; `pass` is the certificate in the client's ticket.
        func admits(pass: String?) -> Bool {
            guard isCounted else { return false }
            grant = count.pace.take(from: address, pass: pass, at: .now())
            return grant != nil
        }

        /// The handshake has proved a certificate.
        func proved(_ certificate: PeerCertificate) {
            guard let grant else { return }
            count.pace.proved(certificate.fingerprint, from: address, by: grant, at: .now())
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

    /// Whether an agent may begin another handshake in a tunnel whose TLS ends here.
    func admitsTunnel(of agent: String) -> Bool { pace.takeTunnel(of: agent, at: .now()) }

    /// Who has IPv6 has a network of 64 bits at least; an IPv4 address in IPv6's form is one of IPv4 (RFC 4291 section 2.5.5).
    static func network(of address: SocketAddress?) -> [UInt8] {
        let bytes = address?.ipAddress.flatMap { IPAddress.bytes(of: $0) } ?? []
        if bytes.count == 16, bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
            return Array(bytes.suffix(4))
        }
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
