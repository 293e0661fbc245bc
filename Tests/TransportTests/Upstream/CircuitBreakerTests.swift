import NIOCore
import Testing

@testable import Transport

@Suite("Origins that cannot be reached")
struct CircuitBreakerTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// One that has just begun its first rest.
    private func resting() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.threshold {
            #expect(breaker.rest(at: start) == nil)
            breaker.failed(at: start)
        }
        return breaker
    }

    @Test("five failures in a row begin a rest of a second, fewer do not")
    func threshold() {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.threshold - 1 { breaker.failed(at: start) }
        #expect(breaker.rest(at: start) == nil)
        breaker.succeeded()
        #expect(breaker.isIdle)
        for _ in 0..<CircuitBreaker.threshold - 1 { breaker.failed(at: start) }
        #expect(breaker.rest(at: start) == nil)
        breaker.failed(at: start)
        #expect(breaker.rest(at: start) == .seconds(1))
        #expect(breaker.rest(at: start + .milliseconds(400)) == .milliseconds(600))
    }

    @Test("behind a rest one connection is tried, and what it comes to decides for all")
    func trial() {
        var breaker = resting()
        let end = start + .seconds(1)
        #expect(breaker.rest(at: end) == nil)
        #expect(breaker.rest(at: end) == .seconds(1))
        breaker.succeeded()
        #expect(breaker.rest(at: end) == nil && breaker.isIdle)
    }

    @Test("each rest is twice as long as the one before, up to half a minute")
    func backoff() {
        var breaker = resting()
        var now = start
        for seconds: Int64 in [1, 2, 4, 8, 16, 30, 30] {
            #expect(breaker.rest(at: now) == .seconds(seconds))
            now = now + .seconds(seconds)
            #expect(breaker.rest(at: now) == nil)
            breaker.failed(at: now)
        }
    }

    @Test("failures of connections that were begun before the rest do not prolong it")
    func late() {
        var breaker = resting()
        breaker.failed(at: start + .milliseconds(900))
        #expect(breaker.rest(at: start + .milliseconds(900)) == .milliseconds(100))
    }

    @Test("a trial that never ends lets another one be made")
    func lostTrial() {
        var breaker = resting()
        let end = start + .seconds(1)
        #expect(breaker.rest(at: end) == nil)
        #expect(breaker.rest(at: end + .seconds(29)) != nil)
        #expect(breaker.rest(at: end + .seconds(30)) == nil)
    }
}
