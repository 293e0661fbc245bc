package import Chain
import Ethereum
package import Logging
package import Payments
package import Primitives
import Synchronization
import X402

/// The chain reader as the witness of reconciliations.
package struct ChainWatch: ChainWitness {
    /// Reads probes as of one final block.
    package typealias Reading =
        @Sendable (
            _ probes: [AuthorizationProbe], _ now: Timestamp
        ) async throws(ChainError) -> ChainReading

    /// Tells an operator of something, by its cause and in words.
    package typealias Notice = @Sendable (_ cause: String, _ detail: String) async -> Void
    /// Takes over what a reading came to.
    package typealias Record = @Sendable (_ outcome: Result<ChainReading, ChainError>, _ now: Timestamp) -> Void

    /// How long a chain goes without being read while nothing has to be proven, in seconds.
    static let idleTime: Int64 = 600
    /// How long it is from a reading that failed to the next while nothing has to be proven, in seconds.
    static let retryTime: Int64 = 60
    /// How long readings may fail for want of answers before an operator is told in the journal, in seconds.
    static let patience: Int64 = 600
    /// Disagreements since the last reading that succeeded before an operator is told: one may be a matter of a moment.
    static let disagreementLimit = 2

    private let network: String
    private let reading: Reading
    private let clock: any WallClock
    private let logger: Logger
    private let record: Record
    private let notice: Notice
    private let known = KnownFaults()
    private let course = ReadingCourse()

    /// Makes a witness of one network that reads by `reading`.
    package init(
        network: String, clock: any WallClock, logger: Logger, record: @escaping Record = { _, _ in },
        notice: @escaping Notice = { _, _ in }, reading: @escaping Reading
    ) {
        self.network = network
        self.reading = reading
        self.clock = clock
        self.logger = logger
        self.record = record
        self.notice = notice
    }

    /// Makes a witness of a network that asks this reader.
    package init(
        network: String, reader: ChainReader, clock: any WallClock, logger: Logger, record: @escaping Record,
        notice: @escaping Notice
    ) {
        self.init(network: network, clock: clock, logger: logger, record: record, notice: notice) {
            (probes, now) throws(ChainError) in try await reader.read(probes, at: now)
        }
    }

    /// One reading, of which everybody hears who should.
    private func watched(_ probes: [AuthorizationProbe]) async throws(ChainError) -> ChainReading {
        let now = clock.now()
        course.begin(at: now)
        do throws(ChainError) {
            let reading = try await self.reading(probes, now)
            course.succeed()
            record(.success(reading), now)
            note(reading.leftOut)
            return reading
        } catch {
            guard error != .cancelled else { throw error }
            let failure = course.fail(at: now, isDisagreement: error.isDisagreement)
            record(.failure(error), now)
            if case .forgotten = error {
                logger.error("final block forgotten", metadata: ["network": "\(network)", "problem": "\(error)"])
                await notice("chain-forgotten", error.description)
            } else if error.isDisagreement {
                if failure.disagreements >= Self.disagreementLimit {
                    await notice("chain-disagrees", error.description)
                }
            } else if failure.seconds >= Self.patience {
                await notice("chain-silent", error.description)
            }
            throw error
        }
    }

    /// Reads all probes that can be read; what is wrong with the others is logged, and proves nothing.
    package func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading {
        let questions = probes.map { AuthorizationProbe($0) }
        let asked = questions.indices.filter { questions[$0] != nil }
        let reading = try await watched(asked.compactMap { questions[$0] })
        var used = [Bool?](repeating: nil, count: probes.count)
        for (index, isUsed) in zip(asked, reading.isUsed) { used[index] = isUsed }
        return ProofReading(finalBlock: reading.block.number, finalTime: reading.block.time, used: used)
    }

    /// Reads nothing but a final block, so that a wrong endpoint is noticed before the first payment needs it.
    package func announce() async {
        do throws(ChainError) {
            let reading = try await watched([])
            logger.info(
                "final block read", metadata: ["network": "\(network)", "final-block": "\(reading.block.number)"])
        } catch {
            guard error != .cancelled else { return }
            logger.warning("chain not read", metadata: ["network": "\(network)", "problem": "\(error)"])
        }
    }

    /// Reads a final block when nothing was read for a while, so that endpoints which are down or disagree are noticed before
    /// a payment needs them; what fails is logged, and tried again soon.
    package func lookWhenIdle() async {
        guard course.isDue(at: clock.now()) else { return }
        do throws(ChainError) { _ = try await watched([]) } catch {
            guard error != .cancelled else { return }
            logger.warning("chain not read", metadata: ["network": "\(network)", "problem": "\(error)"])
        }
    }

    /// Logs faults that the reading before did not have: an endpoint that is down for a day is one line, not thousands.
    private func note(_ faults: [EndpointFault]) {
        for fault in known.fresh(faults) {
            logger.warning(
                fault.authorizations == 0 ? "chain endpoint left out" : "authorizations not read",
                metadata: [
                    "network": "\(network)", "problem": "\(fault.text)", "count": "\(max(1, fault.authorizations))",
                ])
        }
    }
}

extension AuthorizationProbe {
    /// The question behind a payment's probe; nil when no contract that is known here keeps its nonce, and for
    /// addresses that are none.
    package init?(_ probe: UnprovenAuthorization) {
        guard let keeper = probe.keeper, let token = Address(hex: probe.token), let payer = Address(hex: probe.payer)
        else { return nil }
        let kind: Kind =
            switch keeper {
            case .token: .eip3009
            case .permit2: .permit2
            }
        self.init(token: token, authorizer: payer, nonce: probe.nonce, kind: kind)
    }
}

/// When a chain was read last, and how the readings have gone since one succeeded.
private final class ReadingCourse: Sendable {
    private struct State {
        /// When the last reading began.
        var lastRead: Timestamp?
        /// When the first reading began that failed after the last one that succeeded; nil when none has.
        var failingSince: Timestamp?
        /// Disagreements since then.
        var disagreements = 0
    }

    private let state = Mutex(State())

    func begin(at now: Timestamp) { state.withLock { $0.lastRead = now } }

    func succeed() { state.withLock { ($0.failingSince, $0.disagreements) = (nil, 0) } }

    /// Returns for how many seconds readings have failed, and how many disagreements were among them.
    func fail(at now: Timestamp, isDisagreement: Bool) -> (seconds: Int64, disagreements: Int) {
        state.withLock { state in
            // A clock that was put back must not make a failure last for ever unnoticed.
            let since = min(state.failingSince ?? now, now)
            state.failingSince = since
            if isDisagreement { state.disagreements += 1 }
            return (now.seconds - since.seconds, state.disagreements)
        }
    }

    /// Whether a chain that nothing has to be proven on should be read again.
    func isDue(at now: Timestamp) -> Bool {
        state.withLock { state in
            guard let lastRead = state.lastRead else { return true }
            let pause = state.failingSince == nil ? ChainWatch.idleTime : ChainWatch.retryTime
            return !(0..<pause).contains(now.seconds - lastRead.seconds)
        }
    }
}

/// What was wrong with the last reading.
private final class KnownFaults: Sendable {
    /// Everything that one endpoint said for one reason.
    struct Gathered {
        /// Endpoint and reason.
        let text: String
        /// How many authorizations it said it of; 0 when it is about the endpoint as a whole.
        var authorizations: Int
    }

    private let last = Mutex<Set<String>>([])

    /// Takes a reading's faults and returns those that the one before did not have, each endpoint and reason once.
    ///
    /// Which authorizations they are about is left out: their places change from reading to reading.
    func fresh(_ faults: [EndpointFault]) -> [Gathered] {
        var gathered: [Gathered] = []
        for fault in faults {
            let text = "\(fault.endpoint) \(fault.reason)"
            let count = fault.probe == nil ? 0 : 1
            if let index = gathered.firstIndex(where: { $0.text == text }) {
                gathered[index].authorizations += count
            } else {
                gathered.append(Gathered(text: text, authorizations: count))
            }
        }
        return last.withLock { last in
            let fresh = gathered.filter { !last.contains($0.text) }
            last = Set(gathered.map(\.text))
            return fresh
        }
    }
}
