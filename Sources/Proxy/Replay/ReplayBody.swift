import NIOCore
import NIOPosix
import Primitives
import SystemCrypto
import Transport

/// Where and how much of request bodies is kept for the paid repetition.
package struct ReplayLimits: Sendable {
    /// Bytes of one body kept in memory; what is longer goes on in a file.
    package var memory: Int
    /// Bytes of one body kept at all; a longer one streams through, but is not paid for.
    package var total: Int
    /// The folder of the temporary files.
    package var folder: String

    /// Makes limits; the defaults are 1 MiB in memory and 64 MiB in all.
    package init(memory: Int = 1 << 20, total: Int = 64 << 20, folder: String) {
        self.memory = memory
        self.total = total
        self.folder = folder
    }
}

/// The copy of a request body that is kept while the body streams through.
///
/// All state belongs to one event loop.
///
/// Buffers are shared with what is being sent, not copied; only what goes to the file is.
final class ReplayBody {
    private let limits: ReplayLimits
    private let budget: MemoryBudget
    private let pool: NIOThreadPool
    private let loop: any EventLoop
    private var prefix: [ByteBuffer] = []
    private var prefixBytes = 0
    private var spool: SpoolFile?
    private var spooledBytes = 0
    private var pendingBytes = 0
    private var whenSettled: [() -> Void] = []
    private var tailIsGathered = false

    /// Pieces below this size are gathered into one buffer.
    private static let smallPiece = 1024

    /// Whether the whole body so far is kept.
    private(set) var isReplayable = true

    init(limits: ReplayLimits, budget: MemoryBudget, pool: NIOThreadPool, loop: any EventLoop) {
        self.limits = limits
        self.budget = budget
        self.pool = pool
        self.loop = loop
    }

    deinit {
        budget.giveBack(prefixBytes)
    }

    /// Bytes that wait to be written to the file; the agent is read no further while there are many.
    var isBacklogged: Bool { pendingBytes > 1 << 20 }

    /// Keeps a piece of the body, chunked coding included.
    func append(_ bytes: ByteBuffer) {
        guard isReplayable else { return }
        let count = bytes.readableBytes
        guard prefixBytes + spooledBytes + count <= limits.total else { return discard() }
        if spooledBytes == 0, prefixBytes + count <= limits.memory {
            guard budget.take(count) else { return discard() }
            prefixBytes += count
            keep(bytes)
        } else {
            spoolOut(bytes)
        }
    }

    /// A piece shares the buffer that it was read into, so many small ones are copied together instead.
    private func keep(_ bytes: ByteBuffer) {
        guard bytes.readableBytes < Self.smallPiece, !prefix.isEmpty else {
            prefix.append(bytes)
            tailIsGathered = false
            return
        }
        if !tailIsGathered { prefix.append(ByteBufferAllocator().buffer(capacity: 2 * Self.smallPiece)) }
        tailIsGathered = true
        prefix[prefix.count - 1].writeImmutableBuffer(bytes)
    }

    private func discard() {
        isReplayable = false
        budget.giveBack(prefixBytes)
        prefixBytes = 0
        prefix = []
        spool = nil
    }

    private func spoolOut(_ bytes: ByteBuffer) {
        let spool = spool ?? SpoolFile(folder: limits.folder)
        self.spool = spool
        let content = Array(buffer: bytes)
        let position = spooledBytes
        spooledBytes += content.count
        pendingBytes += content.count
        pool.runIfActive(eventLoop: loop) { try spool.write(content, at: position) }
            .assumeIsolated()
            .whenComplete { result in
                self.pendingBytes -= content.count
                if case .failure = result { self.discard() }
                guard self.pendingBytes == 0 else { return }
                let waiting = self.whenSettled
                self.whenSettled = []
                for settled in waiting { settled() }
            }
    }

    /// Calls back once everything appended so far is where it can be read from.
    func settle(_ completion: @escaping () -> Void) {
        if pendingBytes == 0 { completion() } else { whenSettled.append(completion) }
    }

    /// What is kept, for reading on any thread; only after ``settle(_:)``.
    var content: ReplayContent {
        ReplayContent(prefix: prefix, spool: spool, spooledBytes: spooledBytes)
    }
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
        guard let spool else { return [] }
        let position = index * Self.pieceBytes
        return try spool.read(min(Self.pieceBytes, spooledBytes - position), at: position)
    }

    /// SHA-256 of the body without its chunked coding; blocks for as long as reading and hashing take.
    func contentHash(isChunked: Bool) throws -> Bytes32 {
        let hash = SHA256Stream()
        var scanner = ChunkScanner()
        func absorb(_ bytes: [UInt8]) throws {
            guard isChunked else { return hash.absorb(bytes) }
            var ranges: [Range<Int>] = []
            _ = try scanner.scan(bytes.span) { ranges.append($0) }
            for range in ranges { hash.absorb(Array(bytes[range])) }
        }
        for buffer in prefix { try absorb(Array(buffer: buffer)) }
        for index in 0..<pieceCount { try absorb(piece(index)) }
        return hash.finish()
    }

    /// Whether hashing needs no file and little time.
    var isSmall: Bool { spooledBytes == 0 && prefix.reduce(0) { $0 + $1.readableBytes } <= 64 << 10 }
}
