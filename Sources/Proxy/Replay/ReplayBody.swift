import NIOCore
import NIOPosix
import Payments
import Primitives
import Transport

/// Where and how much of request bodies is kept for the paid repetition.
package struct ReplayLimits: Sendable {
    /// Bytes of one body kept in memory; what is longer goes on in a file.
    package var memory: Int
    /// Bytes of one body kept at all; a longer one streams through, but is not paid for.
    package var total: Int
    /// The folder of the temporary files.
    package var folder: String
    /// Bytes of all temporary files together.
    package var spoolTotal: Int
    /// Bytes that stay free on the folder's disk.
    package var freeDisk: Int

    /// Makes limits; the defaults are 1 MiB in memory and 64 MiB in all for one body, 4 GiB of files, and 1 GiB of the
    /// disk left free.
    package init(
        memory: Int = 1 << 20, total: Int = 64 << 20, folder: String, spoolTotal: Int = 4 << 30, freeDisk: Int = 1 << 30
    ) {
        self.memory = memory
        self.total = total
        self.folder = folder
        self.spoolTotal = spoolTotal
        self.freeDisk = freeDisk
    }
}

/// The copy of a request body that is kept while the body streams through.
///
/// All state belongs to one event loop.
///
/// Buffers are shared with what is being sent, not copied; only what goes to the file is.
final class ReplayBody {
    private let limits: ReplayLimits
    private let standing: AgentStanding
    private let pots: SharedPots
    private let pool: NIOThreadPool
    private let loop: any EventLoop
    private var prefix = BodyPieces()
    /// What it holds of the memory of all; nil until there is something.
    private var memory: PotHolder?
    private var spool: SpoolFile?
    /// Called when what it holds was taken back, with the pot's name.
    var whenTakenBack: ((String) -> Void)?
    /// What is in the file or on its way there.
    private var spooledBytes = 0
    /// What waits to be written together.
    private var waiting = BodyPieces()
    /// What is being written.
    private var writingBytes = 0
    private var whenSettled: [() -> Void] = []

    /// So much is written at a time: each turn of a thread costs more than the bytes.
    private static let portion = 256 << 10

    /// Whether the whole body so far is kept.
    private(set) var isReplayable = true
    /// Why it is not; nil while it is, and where it was let go of on purpose.
    private(set) var loss: ReplayLoss?

    init(of standing: AgentStanding, on shared: ProxyLoop) {
        self.standing = standing
        limits = shared.services.replayLimits
        pots = shared.services.pots
        pool = shared.services.threads
        loop = shared.loop
    }

    deinit {
        if let memory { pots.replayMemory.remove(memory) }
        letGoOfFile()
    }

    /// Makes a holder of units of a pot.
    private func holder(in pot: Pot) -> PotHolder {
        let body = NIOLoopBound(WeakBody(body: self), eventLoop: loop)
        return PotHolder(standing.agent, standing.progress) {
            body.eventLoop.execute { body.value.body?.whenTakenBack?(pot.name) }
        }
    }

    /// Whether much waits to be written to the file; the agent is read no further meanwhile.
    var isBacklogged: Bool { waiting.byteCount + writingBytes > 1 << 20 }

    /// Keeps a piece of the body, chunked coding included.
    func append(_ bytes: ByteBuffer, at now: NIODeadline) {
        guard isReplayable else { return }
        let count = bytes.readableBytes
        guard prefix.byteCount + spooledBytes + count <= limits.total else { return discard(.tooLarge) }
        if spooledBytes == 0, prefix.byteCount + count <= limits.memory {
            let memory = memory ?? holder(in: pots.replayMemory)
            self.memory = memory
            guard pots.replayMemory.take(count, for: memory, at: now.milliseconds) else { return discard(.memoryFull) }
            prefix.append(bytes)
        } else {
            let spool = spool ?? SpoolFile(limits, holder(in: pots.spool), of: pots.spool)
            self.spool = spool
            guard pots.spool.take(count, for: spool.holder, at: now.milliseconds) else { return discard(.spoolFull) }
            spooledBytes += count
            waiting.append(bytes)
            if waiting.byteCount >= Self.portion { writeOut() }
        }
    }

    /// Lets go of the copy: nothing is repeated any more.
    func release() { discard(nil) }

    private func discard(_ loss: ReplayLoss?) {
        if isReplayable { self.loss = loss }
        isReplayable = false
        if let memory { pots.replayMemory.remove(memory) }
        memory = nil
        prefix = BodyPieces()
        waiting = BodyPieces()
        letGoOfFile()
        settled()
    }

    /// The system takes its time to give a large file's blocks back, which no loop should wait for.
    private func letGoOfFile() {
        guard let spool else { return }
        self.spool = nil
        pool.submit { _ in withExtendedLifetime(spool) {} }
    }

    private func writeOut() {
        guard writingBytes == 0, !waiting.isEmpty else { return }
        guard let spool else { return }
        let pieces = waiting
        waiting = BodyPieces()
        writingBytes = pieces.byteCount
        let position = spooledBytes - pieces.byteCount
        pool.runIfActive(eventLoop: loop) { try spool.write(pieces, at: position) }
            .assumeIsolated()
            .whenComplete { result in
                self.writingBytes = 0
                if case .failure(let error) = result {
                    self.discard((error as? SpoolFile.Failure)?.isFull == true ? .spoolFull : .tooLarge)
                }
                if !self.whenSettled.isEmpty || self.waiting.byteCount >= Self.portion { self.writeOut() }
                self.settled()
            }
    }

    private func settled() {
        guard writingBytes == 0, waiting.isEmpty else { return }
        let completions = whenSettled
        whenSettled = []
        for completion in completions { completion() }
    }

    /// Calls back once everything appended so far is where it can be read from.
    func settle(_ completion: @escaping () -> Void) {
        guard writingBytes > 0 || !waiting.isEmpty else { return completion() }
        whenSettled.append(completion)
        writeOut()
    }

    /// What is kept, for reading on any thread; only after ``settle(_:)``.
    var content: ReplayContent {
        ReplayContent(prefix: prefix.buffers, spool: spool, spooledBytes: spooledBytes)
    }
}

/// A copy that a pot must not keep alive.
private struct WeakBody {
    weak var body: ReplayBody?
}

/// A complete replay copy.
struct ReplayContent: Sendable {
    /// Bytes read from the file at a time.
    static let pieceBytes = 256 << 10

    let prefix: [ByteBuffer]
    fileprivate let spool: SpoolFile?
    fileprivate let spooledBytes: Int

    fileprivate init(prefix: [ByteBuffer], spool: SpoolFile?, spooledBytes: Int) {
        self.prefix = prefix
        self.spool = spool
        self.spooledBytes = spooledBytes
    }

    /// How many pieces follow the prefix.
    var pieceCount: Int { (spooledBytes + Self.pieceBytes - 1) / Self.pieceBytes }

    /// Reads one piece behind the prefix; blocks.
    func piece(_ index: Int) throws -> [UInt8] {
        // A copy that was given up must not pass for a shorter one.
        guard let spool else { throw SpoolFile.Failure.gone }
        let position = index * Self.pieceBytes
        return try spool.read(min(Self.pieceBytes, spooledBytes - position), at: position)
    }

    /// Hands over the body without its chunked coding, piece by piece; blocks for as long as reading takes.
    func forEachPiece(isChunked: Bool, _ absorb: ([UInt8]) throws -> Void) throws {
        var scanner = ChunkScanner()
        func take(_ bytes: [UInt8]) throws {
            guard isChunked else { return try absorb(bytes) }
            var ranges: [Range<Int>] = []
            _ = try scanner.scan(bytes.span) { ranges.append($0) }
            for range in ranges { try absorb(Array(bytes[range])) }
        }
        for buffer in prefix { try take(Array(buffer: buffer)) }
        for index in 0..<pieceCount { try take(piece(index)) }
    }

    /// Whether hashing needs no file and little time.
    var isSmall: Bool { spooledBytes == 0 && prefix.reduce(0) { $0 + $1.readableBytes } <= 64 << 10 }
}
