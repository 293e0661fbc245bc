import Chain
import Ledger
import Logging
import Payments
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Daemon

/// A chain that answers as a test says, and remembers what it was asked.
private final class ScriptedReadings: Sendable {
    typealias Answer = @Sendable ([AuthorizationProbe]) -> Result<ChainReading, ChainError>

    private let answer: Answer
    private let recorded = Mutex<[[Bytes32]]>([])

    init(_ answer: @escaping Answer) {
        self.answer = answer
    }

    /// The nonces of each reading.
    var asked: [[Bytes32]] { recorded.withLock { $0 } }

    func read(_ probes: [AuthorizationProbe]) throws(ChainError) -> ChainReading {
        recorded.withLock { $0.append(probes.map(\.nonce)) }
        return try answer(probes).get()
    }
}

struct ChainWatchTests {
    private static let block = ChainBlock(number: 77, hash: .numbered(5), time: 1_795_306_000)

    private static func probes(_ numbers: ClosedRange<UInt64>) -> [UnprovenAuthorization] {
        numbers.map { UnprovenAuthorization(PaymentIntent.sample($0).terms) }
    }

    private static func reading(_ used: [Bool], leftOut: [EndpointFault] = []) -> ChainReading {
        ChainReading(block: block, isUsed: used, leftOut: leftOut)
    }

    private func watch(
        _ readings: ScriptedReadings, log: Lines = Lines(), clock: FixedClock = FixedClock(),
        record: @escaping ChainWatch.Record = { _, _ in }, notice: @escaping ChainWatch.Notice = { _, _ in }
    ) -> ChainWatch {
        let logger = Logger(label: "test") { _ in Lines.Handler(lines: log) }
        return ChainWatch(
            network: "eip155:42161", clock: clock, logger: logger, record: record, notice: notice
        ) {
            (probes, _) throws(ChainError) in try readings.read(probes)
        }
    }

    @Test("what the chain says of each nonce arrives in the order of the probes")
    func order() async throws {
        let readings = ScriptedReadings { probes in .success(Self.reading(probes.map { $0.nonce == .numbered(2) })) }
        let reading = try await watch(readings).read(Self.probes(1...3))
        #expect(reading == ProofReading(finalBlock: 77, finalTime: 1_795_306_000, used: [false, true, false]))
        #expect(readings.asked == [[.numbered(1), .numbered(2), .numbered(3)]])
    }

    @Test("probes that could not be read are nil, and each reason is told once with the number of its probes")
    func spoiler() async throws {
        let log = Lines()
        let readings = ScriptedReadings { probes in
            let used = probes.map { $0.nonce == .numbered(2) || $0.nonce == .numbered(4) ? nil : true }
            let faults = used.indices.filter { used[$0] == nil }.map {
                EndpointFault(endpoint: "rpc.example", reason: .badWord, probe: $0)
            }
            return .success(ChainReading(block: Self.block, isUsed: used, leftOut: faults))
        }
        let watch = watch(readings, log: log)
        #expect(try await watch.read(Self.probes(1...5)).used == [true, nil, true, nil, true])
        #expect(try await watch.read(Self.probes(2...5)).used == [nil, true, nil, true])
        #expect(readings.asked.map(\.count) == [5, 4])
        #expect(log.all == ["warning: authorizations not read"])
    }

    @Test("an endpoint that fails as a whole is not answered by leaving probes out")
    func endpoint() async throws {
        let fault = EndpointFault(endpoint: "rpc.example", reason: .timedOut)
        let error = ChainError.tooFewAnswers(count: 0, needed: 1, faults: [fault])
        let readings = ScriptedReadings { _ in .failure(error) }
        await #expect(throws: error) { try await watch(readings).read(Self.probes(1...3)) }
        #expect(readings.asked.count == 1)
    }

    @Test("endpoints that disagree prove nothing")
    func disagreement() async throws {
        let error = ChainError.disagreement(block: 77, camps: [["a.example"], ["b.example"]])
        let readings = ScriptedReadings { _ in .failure(error) }
        await #expect(throws: error) { try await watch(readings).read(Self.probes(1...1)) }
    }

    @Test("a fault is told once for as long as it lasts, and again when it comes back")
    func repeatedFault() async throws {
        let fault = EndpointFault(endpoint: "rpc.example", reason: .timedOut)
        let isFaulty = Mutex(true)
        let readings = ScriptedReadings { probes in
            .success(Self.reading(probes.map { _ in false }, leftOut: isFaulty.withLock { $0 } ? [fault] : []))
        }
        let log = Lines()
        let watch = watch(readings, log: log)
        for _ in 0..<3 { _ = try await watch.read(Self.probes(1...1)) }
        #expect(log.all == ["warning: chain endpoint left out"])
        isFaulty.withLock { $0 = false }
        _ = try await watch.read(Self.probes(1...1))
        isFaulty.withLock { $0 = true }
        _ = try await watch.read(Self.probes(1...1))
        #expect(log.all.count == 2)
    }

    @Test("a chain that cannot be read is told at the start, and so is one that can")
    func announcement() async {
        let log = Lines()
        await watch(ScriptedReadings { _ in .success(Self.reading([])) }, log: log).announce()
        #expect(log.all == ["info: final block read"])
        let error = ChainError.tooFewAnswers(count: 0, needed: 1, faults: [])
        await watch(ScriptedReadings { _ in .failure(error) }, log: log).announce()
        #expect(log.all.last == "warning: chain not read")
    }

    /// What an operator is told of readings at these seconds, each with the second; nil is a reading that succeeds.
    private func told(of script: [(second: Int64, failure: ChainError?)]) async -> [String] {
        let rest = Mutex(script)
        let notices = Mutex<[String]>([])
        let clock = FixedClock()
        let start = clock.now()
        let watch = watch(
            ScriptedReadings { _ in
                rest.withLock { $0.removeFirst() }.failure.map { .failure($0) } ?? .success(Self.reading([]))
            }, clock: clock,
            notice: { cause, _ in
                notices.withLock { $0.append("\(cause) at \(clock.now().seconds - start.seconds)") }
            })
        for (second, _) in script {
            clock.advance(seconds: second - (clock.now().seconds - start.seconds))
            await watch.announce()
        }
        return notices.withLock { $0 }
    }

    private static let silence = ChainError.tooFewAnswers(count: 1, needed: 2, faults: [])
    private static let contradiction = ChainError.disagreement(block: 77, camps: [["a.example"], ["b.example"]])

    @Test("a disagreement is told when the next reading does not clear it up, a forgotten block at once")
    func disagreements() async {
        let forgotten = ChainError.forgotten(block: 77, readings: 10, cause: Self.silence)
        #expect(
            await told(of: [
                (0, Self.contradiction), (30, nil), (60, Self.contradiction), (90, nil), (120, Self.contradiction),
                (150, Self.contradiction), (180, nil), (210, forgotten),
            ]) == ["chain-disagrees at 150", "chain-forgotten at 210"])
    }

    @Test(
        "missing answers are told after ten minutes without a reading that succeeded, however few readings there were")
    func silences() async {
        #expect(
            await told(of: [
                (0, Self.silence), (599, Self.silence), (600, Self.silence), (630, nil), (1230, Self.silence),
                (1829, Self.silence), (1830, Self.silence),
            ]) == ["chain-silent at 600", "chain-silent at 1830"])
    }

    @Test("a chain that could not be read is read again after a minute, although nothing waits for it")
    func retry() async {
        let clock = FixedClock()
        let isDown = Mutex(true)
        let readings = ScriptedReadings { _ in
            isDown.withLock { $0 } ? .failure(Self.silence) : .success(Self.reading([]))
        }
        let watch = watch(readings, clock: clock)
        await watch.lookWhenIdle()
        for (seconds, count) in [(59, 1), (1, 2), (60, 3)] as [(Int64, Int)] {
            if count == 3 { isDown.withLock { $0 = false } }
            clock.advance(seconds: seconds)
            await watch.lookWhenIdle()
            #expect(readings.asked.count == count)
        }
        clock.advance(seconds: 599)
        await watch.lookWhenIdle()
        #expect(readings.asked.count == 3)
    }

    @Test("a chain that nothing has to be proven on is read every ten minutes")
    func idle() async throws {
        let clock = FixedClock()
        let readings = ScriptedReadings { probes in .success(Self.reading(probes.map { _ in true })) }
        let watch = watch(readings, clock: clock)
        await watch.lookWhenIdle()
        #expect(readings.asked.count == 1)
        clock.advance(seconds: 599)
        await watch.lookWhenIdle()
        #expect(readings.asked.count == 1)
        clock.advance(seconds: 1)
        await watch.lookWhenIdle()
        #expect(readings.asked.count == 2)
        clock.advance(seconds: 599)
        _ = try await watch.read(Self.probes(1...1))
        clock.advance(seconds: 1)
        await watch.lookWhenIdle()
        #expect(readings.asked.count == 3)
    }

    @Test("what status shows is the last reading's outcome, and the last block that was agreed on")
    func standing() async throws {
        let clock = FixedClock()
        let fault = EndpointFault(endpoint: "rpc.example", reason: .timedOut)
        let error = ChainError.disagreement(block: 78, camps: [["a.example"], ["b.example"]])
        let outcome = Mutex<Result<ChainReading, ChainError>>(.success(Self.reading([], leftOut: [fault])))
        let written = Mutex<[[ChainStanding]]>([])
        let board = ChainBoard { standings in written.withLock { $0.append(standings) } }
        let watch = watch(
            ScriptedReadings { _ in outcome.withLock { $0 } }, clock: clock,
            record: { board.note($0, of: "eip155:42161", at: $1) })
        await watch.announce()
        let first = try #require(written.withLock { $0.last?.first })
        #expect(first.block == 77 && first.problem == nil && first.agreedAt == "\(clock.now())")
        #expect(first.leftOut == ["rpc.example did not answer in time"])
        #expect(first.words.contains("final block 77 of") && first.words.contains("left out: rpc.example"))
        clock.advance(seconds: 30)
        outcome.withLock { $0 = .failure(error) }
        await watch.announce()
        let second = try #require(written.withLock { $0.last?.first })
        #expect(second.isDisagreement && second.block == 77 && second.agreedAt == first.agreedAt)
        #expect(second.readAt == "\(clock.now())" && second.leftOut.isEmpty)
        #expect(
            second.words.contains("nothing is proven since") && second.words.contains("a.example against b.example"))
        let report = ChainReport(process: 12, chains: [first, second])
        #expect(ChainReport(report.text) == report)
        for text in ["", "{}", "[1]", #"{"chains":[]}"#] { #expect(ChainReport(text) == nil) }
        #expect(ChainReport(#"{"process":1,"chains":[{"network":"x"}]}"#)?.chains.isEmpty == true)
    }

    @Test("what no known contract keeps is not asked for")
    func unknown() async throws {
        let readings = ScriptedReadings { probes in .success(Self.reading(probes.map { _ in true })) }
        let strangers = [
            UnprovenAuthorization(keeper: nil, token: "0x1", payer: "0x2", nonce: .zero),
            UnprovenAuthorization(keeper: .token, token: "nowhere", payer: "0x2", nonce: .zero),
        ]
        let reading = try await watch(readings).read(strangers + Self.probes(1...1))
        #expect(reading.used == [nil, nil, true])
        #expect(readings.asked == [[.numbered(1)]])
    }

    @Test("the contract that keeps the nonce is the one that is asked")
    func kinds() throws {
        let address = "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1"
        func kind(_ keeper: NonceKeeper) -> AuthorizationProbe.Kind? {
            AuthorizationProbe(
                UnprovenAuthorization(keeper: keeper, token: address, payer: address, nonce: .zero))?.kind
        }
        #expect(kind(.token) == .eip3009 && kind(.permit2) == .permit2)
        let block = ChainBlock(number: 77, hash: .zero, time: 100)
        for end in [99, 100, 101, 102] as [Int64] {
            #expect(
                NonceKeeper.permit2.isDead(validBefore: end, asOf: block.time)
                    == AuthorizationProbe.Kind.permit2.isExpired(UInt64(end - 1), asOf: block))
            #expect(
                NonceKeeper.token.isDead(validBefore: end, asOf: block.time)
                    == AuthorizationProbe.Kind.eip3009.isExpired(UInt64(end), asOf: block))
        }
    }

    @Test("what the books take for expired is what the chain's own rule says", arguments: [-1, 0, 1] as [Int64])
    func expiry(_ seconds: Int64) async throws {
        let intent = PaymentIntent.sample(1)
        let block = ChainBlock(number: 77, hash: .zero, time: intent.terms.validBefore + seconds)
        let made = AuthorizationProbe(UnprovenAuthorization(intent.terms))
        let probe = try #require(made)
        let reading = ProofReading(finalBlock: block.number, finalTime: block.time, used: [false])
        let proof = reading.proof(of: PaymentRecord(reserving: intent, at: .vectors), used: false)
        let isExpired = probe.kind.isExpired(UInt64(intent.terms.validBefore), asOf: block)
        #expect((proof == .provenUnused) == isExpired)
        #expect(isExpired == (seconds >= 0))
    }
}

/// What was logged: levels and messages.
private final class Lines: Sendable {
    private let recorded = Mutex<[String]>([])

    var all: [String] { recorded.withLock { $0 } }

    struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.recorded.withLock { $0.append("\(event.level.rawValue): \(event.message)") }
        }
    }
}
