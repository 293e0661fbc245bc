import NIOCore
import Testing
import Transport

@Suite("WebSocket frames")
struct WebSocketFrameTests {
    typealias Piece = WebSocketFrames.Piece
    typealias Violation = WebSocketFrames.Violation

    /// A client's frame; RFC 6455 section 5.2.
    static func frame(_ first: UInt8, length: Int, mask: Bool = true) -> [UInt8] {
        let bit: UInt8 = mask ? 0x80 : 0
        let header: [UInt8] =
            switch length {
            case ..<126: [first, bit | UInt8(length)]
            case ...0xffff: [first, bit | 126, UInt8(length >> 8), UInt8(length & 0xff)]
            default: [first, bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
            }
        return header + (mask ? [1, 2, 3, 4] : []) + [UInt8](repeating: 0x78, count: length)
    }

    private static func read(_ bytes: [UInt8], from side: WebSocketFrames.Side = .client) throws -> [Piece] {
        var frames = WebSocketFrames(from: side)
        var rest = ByteBuffer(bytes: bytes)
        var pieces: [Piece] = []
        while let piece = try frames.next(in: rest.readableBytesView) {
            rest.moveReaderIndex(forwardBy: piece.length)
            pieces.append(piece)
        }
        return pieces
    }

    /// Bytes, and the pieces that they are.
    static let vectors: [(String, [UInt8], [Piece])] = [
        // The examples of section 5.7.
        (
            "a masked text", [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
            [.message(6), .payload(5)]
        ),
        (
            "a masked pong", [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
            [.control(6), .payload(5)]
        ),
        ("256 bytes", frame(0x82, length: 256), [.message(8), .payload(256)]),
        ("64 KiB", frame(0x82, length: 65_536), [.message(14), .payload(65_536)]),
        ("an empty message", frame(0x81, length: 0), [.message(6)]),
        ("a compressed message", frame(0xc1, length: 3), [.message(6), .payload(3)]),
        (
            "a message in three frames with a ping inside",
            frame(0x01, length: 2) + frame(0x00, length: 0) + frame(0x89, length: 1) + frame(0x80, length: 1),
            [.message(6), .payload(2), .continuation(6), .control(6), .payload(1), .continuation(6), .payload(1)]
        ),
        (
            "two messages", frame(0x81, length: 1) + frame(0x82, length: 1),
            [.message(6), .payload(1), .message(6), .payload(1)]
        ),
        ("half a header", [0x81], []),
        ("a header without its mask", [0x81, 0x80, 1, 2, 3], []),
        ("a part of a payload", Array(frame(0x81, length: 9).prefix(10)), [.message(6), .payload(4)]),
    ]

    @Test("frames are told apart", arguments: vectors)
    func frames(vector: (name: String, bytes: [UInt8], pieces: [Piece])) throws {
        #expect(try Self.read(vector.bytes) == vector.pieces)
    }

    @Test("a server's frames have no mask")
    func server() throws {
        #expect(try Self.read([0x81, 0x05] + Array("Hello".utf8), from: .server) == [.message(2), .payload(5)])
        #expect(throws: Violation.mask) { try Self.read(Self.frame(0x81, length: 1), from: .server) }
    }

    /// Bytes, and what is wrong with them.
    static let violations: [(String, [UInt8], Violation)] = [
        ("no mask", frame(0x81, length: 1, mask: false), .mask),
        ("opcode 3", frame(0x83, length: 1), .opcode), ("opcode 11", frame(0x8b, length: 1), .opcode),
        ("a continuation of nothing", frame(0x80, length: 1), .fragment),
        ("a message inside another", frame(0x01, length: 1) + frame(0x81, length: 1), .fragment),
        ("a ping in fragments", frame(0x09, length: 1), .control),
        ("a ping of 126 bytes", frame(0x89, length: 126), .control),
        ("a length that could be shorter", [0x82, 0xfe, 0, 125, 1, 2, 3, 4], .length),
        ("a length that could be much shorter", [0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4], .length),
        ("a length of 64 bits", [0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4], .length),
        ("HTTP", Array("GET / HTTP/1.1\r\n\r\n".utf8), .mask),
    ]

    @Test("reject- what is no frame of a client", arguments: violations)
    func violation(vector: (name: String, bytes: [UInt8], violation: Violation)) {
        #expect(throws: vector.violation) { try Self.read(vector.bytes) }
    }

    // MARK: Counting

    /// What passes, and how many messages were counted, when the bytes come in pieces and each count is answered at once.
    private static func count(_ bytes: [UInt8], inPiecesOf size: Int) throws -> (passed: [UInt8], messages: Int) {
        var messages = CountedMessages()
        var passed: [UInt8] = []
        var count = 0
        var start = 0
        while start < bytes.count {
            messages.add(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
            start += size
            var step = try messages.next(at: .now())
            while step != .wait || messages.isWaiting {
                if case .pass(let piece) = step { passed += piece.readableBytesView }
                if step == .count {
                    count += 1
                    #expect(try messages.next(at: .now()) == .wait)
                    messages.counted()
                }
                step = try messages.next(at: .now())
            }
        }
        return (passed, count)
    }

    @Test(
        "however the bytes come, each message is counted once and all bytes pass in order", arguments: [1, 3, 7, 4096])
    func counted(size: Int) throws {
        let bytes =
            Self.frame(0x89, length: 4) + Self.frame(0x01, length: 10) + Self.frame(0x8a, length: 0)
            + Self.frame(0x80, length: 300) + Self.frame(0x82, length: 0) + Self.frame(0x81, length: 1)
            + Self.frame(0x88, length: 2)
        let (passed, messages) = try Self.count(bytes, inPiecesOf: size)
        #expect(messages == 3)
        #expect(passed == bytes)
    }

    @Test("nothing of a message passes before it is counted, and what stands in front of it does")
    func heldBack() throws {
        var messages = CountedMessages()
        let ping = Self.frame(0x89, length: 1)
        let first = Self.frame(0x81, length: 2)
        messages.add(ByteBuffer(bytes: ping + first + Self.frame(0x81, length: 3)))
        #expect(try messages.next(at: .now()) == .pass(ByteBuffer(bytes: ping)))
        #expect(try messages.next(at: .now()) == .count)
        for _ in 0..<3 { #expect(try messages.next(at: .now()) == .wait && messages.isWaiting) }
        messages.counted()
        #expect(try messages.next(at: .now()) == .pass(ByteBuffer(bytes: first)))
        #expect(try messages.next(at: .now()) == .count)
    }

    @Test("control frames are not counted, and only so many pass in a minute")
    func flood() throws {
        var messages = CountedMessages()
        let start = NIODeadline.now()
        let ping = ByteBuffer(bytes: Self.frame(0x89, length: 0))
        for minute in 0..<2 {
            for _ in 0..<CountedMessages.controlFrames {
                messages.add(ping)
                #expect(try messages.next(at: start + .minutes(Int64(minute))) == .pass(ping))
            }
        }
        messages.add(ping)
        #expect(throws: Violation.controlFlood) { try messages.next(at: start + .seconds(119)) }
    }

    @Test("where a frame of a server ends is known however it comes", arguments: [1, 2, 5, 1024])
    func boundary(size: Int) {
        let bytes =
            Self.frame(0x82, length: 400, mask: false) + Self.frame(0x81, length: 0, mask: false)
            + Self.frame(0x81, length: 70_000, mask: false)
        var boundary = WebSocketBoundary()
        #expect(boundary.isBetweenFrames)
        for start in stride(from: 0, to: bytes.count, by: size) {
            boundary.pass(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + size)]))
            let end = min(bytes.count, start + size)
            #expect(boundary.isBetweenFrames == [404, 406, bytes.count].contains(end))
        }
        boundary.pass(ByteBuffer(bytes: [0x83, 0]))
        boundary.pass(ByteBuffer(bytes: Self.frame(0x81, length: 0, mask: false)))
        #expect(!boundary.isBetweenFrames)
    }

    @Test("a close frame has a code and a reason of what fits")
    func close() {
        #expect(
            WebSocketBoundary.close(code: 1008, reason: "no") == ByteBuffer(bytes: [0x88, 4, 0x03, 0xf0, 0x6e, 0x6f]))
        let long = WebSocketBoundary.close(code: 1008, reason: String(repeating: "x", count: 500))
        #expect(long.readableBytes == 2 + 125)
    }
}
