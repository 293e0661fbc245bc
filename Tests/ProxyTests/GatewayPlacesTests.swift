import NIOCore
import Primitives
import Synchronization
import Testing

@testable import Proxy

@Suite("Turns at a gateway")
struct GatewayPlacesTests {
    private let agents = ActiveAgents()
    private let places: GatewayPlaces
    private let granted = Granted()

    init() { places = GatewayPlaces(agents: agents) }

    /// Who was granted a place later, and who was to be ended, in order.
    final class Granted: Sendable {
        let places = Mutex<[(name: String, place: GatewayPlaces.Place?)]>([])
        let ended = Mutex<[String]>([])
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

    private func ask(
        _ name: String, of agent: String = "scout", limit: Int, at gateway: String = "lab", now: Int64 = 0,
        progress: HolderProgress? = nil
    ) -> GatewayPlaces.Answer {
        let granted = granted
        let user = agents.agent(named: agent)
        user.hadRequest(at: now)
        return places.ask(
            at: gateway, limit: limit,
            GatewayPlaces.Request(
                standing: AgentStanding(agent: user, progress: progress ?? HolderProgress(at: now)),
                whenTakenBack: { granted.ended.withLock { $0.append(name) } },
                grant: { place in granted.places.withLock { $0.append((name, place)) } }),
            at: now)
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

    @Test("a share that grows is handed to the one that waits for it, though no place comes back")
    func grown() {
        let held = ["ada", "bob", "cyd"].map { place(ask($0, of: $0, limit: 4)) }
        #expect(held.allSatisfy { $0 != nil })
        // The last place is lent to nobody, and the share among three is one.
        #expect(place(ask("more", of: "cyd", limit: 4, now: 1)) == nil)
        places.takeBack(at: "lab", now: 30_000)
        #expect(granted.names.isEmpty)
        agents.agent(named: "cyd").hadRequest(at: 50_000)
        agents.agent(named: "bob").hadRequest(at: 50_000)
        places.takeBack(at: "lab", now: 60_001)
        #expect(granted.names == ["more"])
        withExtendedLifetime(held) {}
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
        for name in ["second", "third"] { _ = ask(name, limit: 1) }
        #expect(granted.names.isEmpty)
        #expect(place(ask("fourth", limit: 3)) == nil)
        #expect(granted.names == ["second", "third"])
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
        let other = place(ask("other", limit: 1, at: "other"))
        #expect(first != nil && other != nil)
    }

    @Test("one agent with any number of requests leaves a quarter of the places to the next agent")
    func quarter() {
        let hanging = (0..<60).map { place(ask("hanging \($0)", of: "hostile", limit: 40)) }
        #expect(hanging.count { $0 != nil } == 30)
        let honest = (0..<10).map { place(ask("honest \($0)", of: "honest", limit: 40)) }
        #expect(honest.allSatisfy { $0 != nil })
        let snapshot = places.snapshots(at: 0)
        #expect(snapshot.map(\.gateway) == ["lab"] && snapshot.map(\.used) == [40] && snapshot.map(\.lent) == [10])
        #expect(snapshot[0].top == [.init(agent: "hostile", held: 30), .init(agent: "honest", held: 10)])
        withExtendedLifetime((hanging, honest)) {}
    }

    @Test("where there are few places they go round among the agents that wait, however much one asks for")
    func round() {
        var first = place(ask("hostile first", of: "hostile", limit: 1))
        for number in 0..<50 { _ = ask("hostile \(number)", of: "hostile", limit: 1) }
        _ = ask("honest", of: "honest", limit: 1)
        first = nil
        #expect(first == nil)
        #expect(granted.names == ["honest"])
        granted.letGo(of: 0)
        #expect(granted.names == ["honest", "hostile 0"])
        _ = ask("honest again", of: "honest", limit: 1)
        granted.letGo(of: 1)
        #expect(granted.names.last == "honest again")
    }

    @Test(
        "a request that makes no progress is ended when another agent lacks its share, and its place is given on then")
    func takenBack() {
        let progress = (0..<6).map { _ in HolderProgress(at: 0) }
        var held = progress.enumerated().map {
            place(ask("hostile \($0)", of: "hostile", limit: 8, progress: $1))
        }
        #expect(held.allSatisfy { $0 != nil })
        let honest = (0..<2).map { place(ask("honest \($0)", of: "honest", limit: 8, now: 1)) }
        #expect(honest.allSatisfy { $0 != nil })
        progress[0].made(at: 8_000)
        progress[1].protect(true)
        progress[2].made(at: 2_000)
        guard case .wait(let wait) = ask("honest 2", of: "honest", limit: 8, now: 9_000) else {
            Issue.record("there was no wait")
            return
        }
        #expect(wait.isShare && granted.ended.withLock { $0.isEmpty })
        places.takeBack(at: "lab", now: 10_000)
        #expect(granted.ended.withLock { $0 } == ["hostile 3"] && granted.names.isEmpty)
        held[3] = nil
        #expect(granted.names == ["honest 2"])
        // The fourth of its share, and no more than that.
        _ = ask("honest 3", of: "honest", limit: 8, now: 12_000)
        #expect(granted.ended.withLock { $0 } == ["hostile 3", "hostile 4"])
        held[4] = nil
        _ = ask("honest 4", of: "honest", limit: 8, now: 30_000)
        #expect(granted.ended.withLock { $0.count } == 2 && granted.names == ["honest 2", "honest 3"])
        withExtendedLifetime((held, honest)) {}
    }
}
