import NIOCore
import Testing

@testable import Transport

@Suite("The life of an HTTP/2 connection")
struct HTTP2SessionLifeTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// One whose peer has said what it allows.
    private func settled(_ maximum: Int? = nil) -> HTTP2SessionLife {
        var life = HTTP2SessionLife(at: start)
        life.settingsArrived(maximum: maximum)
        return life
    }

    @Test("one stream is offered before the peer's settings, and then as many as they allow")
    func limits() {
        var life = HTTP2SessionLife(at: start)
        #expect(life.ask(at: start) == .stream && life.hope(guess: 10) == 10)
        life.streamOpened()
        #expect(life.ask(at: start) == .later && life.hope(guess: 10) == 9)
        life.settingsArrived(maximum: 2)
        #expect(life.ask(at: start) == .stream)
        life.streamOpened()
        #expect(life.ask(at: start) == .later && life.hope(guess: 10) == 0)
        life.streamEnded(at: start)
        #expect(life.ask(at: start) == .stream)
    }

    @Test(
        "a limit that is not said is the usual one, and ours holds above",
        arguments: [
            (nil, 100), (0, 0), (1, 1), (256, 256), (1 << 31, 256),
        ])
    func limit(maximum: Int?, limit: Int) { #expect(settled(maximum).limit == limit) }

    @Test("settings that do not speak of streams change nothing")
    func silentSettings() {
        var life = settled(3)
        life.settingsArrived(maximum: nil)
        #expect(life.limit == 3)
    }

    @Test("a peer that was silent for longer than it is trusted is asked first, and once")
    func probe() {
        var life = settled()
        let late = start + HTTP2SessionLife.trust + .nanoseconds(1)
        #expect(life.ask(at: start + HTTP2SessionLife.trust) == .stream)
        #expect(life.ask(at: late) == .probe && life.ask(at: late) == .later)
        #expect(life.hope(guess: 1) == 100)
        life.received(at: late)
        #expect(life.ask(at: late) == .later)
        life.pongArrived(at: late)
        #expect(life.ask(at: late) == .stream)
    }

    @Test("a peer that does not answer is given up, and later what is under way there")
    func noAnswer() {
        let asked = start + .seconds(10)
        let late = asked + HTTP2SessionLife.patience + .nanoseconds(1)
        let latest = asked + HTTP2SessionLife.longPatience
        for isBusy in [false, true] {
            var life = settled()
            if isBusy { life.streamOpened() }
            #expect(life.ask(at: asked) == .probe)
            #expect(life.check(at: asked + HTTP2SessionLife.patience) == .nothing)
            #expect(life.check(at: late) == (isBusy ? .nothing : .close) && life.ask(at: late) == .none)
            #expect(life.check(at: latest) == (isBusy ? .nothing : .close))
            #expect(life.check(at: latest + .nanoseconds(1)) == .close)
        }
    }

    @Test("a peer that sends anything is there")
    func busyPeer() {
        var life = settled()
        life.streamOpened()
        let asked = start + .seconds(10)
        #expect(life.ask(at: asked) == .probe)
        let later = asked + HTTP2SessionLife.longPatience
        life.received(at: later)
        #expect(life.check(at: later + HTTP2SessionLife.patience) == .nothing)
    }

    @Test("a peer that owes answers and is silent is asked whether it is there")
    func silence() {
        var life = settled()
        life.streamOpened()
        #expect(life.check(at: start + HTTP2SessionLife.silence) == .nothing)
        let late = start + HTTP2SessionLife.silence + .nanoseconds(1)
        #expect(life.check(at: late) == .ping && life.check(at: late) == .nothing)
        life.received(at: late)
        life.pongArrived(at: late)
        #expect(life.check(at: late) == .nothing)
    }

    @Test("a connection without streams is closed after its time, counted from its last stream")
    func idle() {
        var life = settled()
        let later = start + .seconds(30)
        life.streamOpened()
        life.streamEnded(at: later)
        #expect(life.check(at: later + HTTP2SessionLife.idleTime) == .nothing)
        #expect(life.check(at: later + HTTP2SessionLife.idleTime + .nanoseconds(1)) == .close)
    }

    @Test("a peer that goes away gets nothing more, and what it passed over is known")
    func goAway() {
        var life = settled()
        life.streamOpened()
        #expect(!life.wasPassedOver(stream: 5))
        life.goAwayArrived(last: 3)
        #expect(life.ask(at: start) == .none && life.hope(guess: 5) == 0 && !life.isDone)
        #expect(!life.wasPassedOver(stream: 3) && life.wasPassedOver(stream: 5))
        // A peer that says more afterwards cannot take back what it has passed over.
        life.goAwayArrived(last: 7)
        #expect(life.wasPassedOver(stream: 5))
        life.streamEnded(at: start)
        #expect(life.isDone && life.check(at: start) == .close)
    }
}
