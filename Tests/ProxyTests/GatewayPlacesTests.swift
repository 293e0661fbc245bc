import Synchronization
import Testing

@testable import Proxy

@Suite("Turns at a gateway")
struct GatewayPlacesTests {
    private let places = GatewayPlaces()
    private let granted = Granted()

    /// Who was granted a place later, in order.
    final class Granted: Sendable {
        let places = Mutex<[(name: String, place: GatewayPlaces.Place?)]>([])
        var names: [String] { places.withLock { $0.map(\.name) } }
        func letGo(of index: Int) {
            let place = places.withLock { places in
                let place = places[index].place
                places[index].place = nil
                return place
            }
            withExtendedLifetime(place) {}
        }
    }

    private func ask(_ name: String, limit: Int) -> GatewayPlaces.Answer {
        let granted = granted
        return places.ask(at: "lab", limit: limit) { place in
            granted.places.withLock { $0.append((name, place)) }
        }
    }

    private func place(_ answer: GatewayPlaces.Answer) -> GatewayPlaces.Place? {
        if case .granted(let place) = answer { place } else { nil }
    }

    @Test("a place that is let go of goes to the one who has waited for the longest")
    func order() throws {
        var first = place(ask("first", limit: 1))
        #expect(first != nil)
        #expect(place(ask("second", limit: 1)) == nil)
        #expect(place(ask("third", limit: 1)) == nil)
        #expect(granted.names.isEmpty)
        first = nil
        #expect(granted.names == ["second"])
        granted.letGo(of: 0)
        #expect(granted.names == ["second", "third"])
        granted.letGo(of: 1)
        #expect(place(ask("fourth", limit: 1)) != nil)
    }

    @Test("who has given up is passed over")
    func cancelled() throws {
        var first = place(ask("first", limit: 1))
        guard case .wait(let wait) = ask("second", limit: 1) else {
            Issue.record("there was no wait")
            return
        }
        _ = ask("third", limit: 1)
        places.cancel(wait)
        first = nil
        #expect(first == nil && granted.names == ["third"])
    }

    @Test("a raised limit lets in all who fit, a lowered one nobody until there is room for it")
    func changed() throws {
        var first = place(ask("first", limit: 1))
        for name in ["second", "third", "fourth"] { _ = ask(name, limit: name == "second" ? 1 : 3) }
        // Whoever is in front waits by the limit under which it came.
        #expect(granted.names.isEmpty)
        first = nil
        #expect(first == nil && granted.names == ["second", "third", "fourth"])
        _ = ask("fifth", limit: 1)
        for index in 0..<2 { granted.letGo(of: index) }
        #expect(granted.names.count == 3)
        granted.letGo(of: 2)
        #expect(granted.names.last == "fifth")
    }

    @Test("gateways do not wait for each other")
    func apart() {
        let first = place(ask("first", limit: 1))
        let other = place(places.ask(at: "other", limit: 1) { _ in })
        #expect(first != nil && other != nil)
    }
}
