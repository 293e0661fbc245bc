import NIOCore
import Transport

/// The frames of a WebSocket client: the same messages are counted and the same bytes pass however they arrive, and as many
/// as a plainer reader counts.
enum WebSocketInvariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let whole = try read(input, inPiecesOf: max(1, input.count))
        try hold(input.starts(with: whole.passed), "what passes is what came, in order")
        try hold(whole.messages == messages(in: input), "a plainer reader counts the same messages")
        for size in [1, 5] where input.count < 4096 {
            let pieces = try read(input, inPiecesOf: size)
            try hold(pieces.messages == whole.messages, "as many messages are counted in pieces of \(size)")
            try hold(pieces.isRefused == whole.isRefused, "the same is refused in pieces of \(size)")
            try hold(
                pieces.isRefused || pieces.passed == whole.passed, "the same passes in pieces of \(size)")
        }
        var boundary = WebSocketBoundary()
        boundary.pass(ByteBuffer(bytes: input))
        var other = WebSocketBoundary()
        for byte in input { other.pass(ByteBuffer(bytes: [byte])) }
        try hold(boundary.isBetweenFrames == other.isBetweenFrames, "a server's frames end at the same places")
    }

    private static func read(
        _ input: [UInt8], inPiecesOf size: Int
    ) throws(BrokenInvariant) -> (passed: [UInt8], messages: Int, isRefused: Bool) {
        var reader = CountedMessages()
        var passed: [UInt8] = []
        var messages = 0
        let now = NIODeadline.uptimeNanoseconds(1)
        for start in stride(from: 0, to: input.count, by: size) {
            reader.add(ByteBuffer(bytes: input[start..<min(input.count, start + size)]))
            do {
                var step = try reader.next(at: now)
                while step != .wait {
                    switch step {
                    case .pass(let bytes):
                        passed += bytes.readableBytesView
                    case .count:
                        messages += 1
                        reader.counted()
                    case .wait: break
                    }
                    step = try reader.next(at: now)
                }
            } catch {
                return (passed, messages, true)
            }
        }
        try hold(!reader.isWaiting, "a message that was counted is not waited for")
        return (passed, messages, false)
    }

    /// The messages that begin in front of the first bytes that are no frame of a client.
    private static func messages(in bytes: [UInt8]) -> Int {
        var messages = 0
        var controls = 0
        var isOpen = false
        var index = 0
        while index + 1 < bytes.count {
            let opcode = bytes[index] & 15
            let isLast = bytes[index] > 127
            var length = Int(bytes[index + 1]) - 128
            guard length >= 0 else { break }
            let isControl = opcode == 8 || opcode == 9 || opcode == 10
            guard isControl ? isLast && length < 126 : opcode < 3 && (opcode == 0) == isOpen else { break }
            let size = length < 126 ? 0 : length == 126 ? 2 : 8
            guard index + 6 + size <= bytes.count else { break }
            if size > 0 {
                var long: UInt64 = 0
                for place in 0..<size { long = long << 8 + UInt64(bytes[index + 2 + place]) }
                guard long > (size == 2 ? 125 : 65_535), let short = Int(exactly: long) else { break }
                length = short
            }
            if isControl { controls += 1 } else { isOpen = !isLast }
            if controls > CountedMessages.controlFrames { break }
            if opcode == 1 || opcode == 2 { messages += 1 }
            guard length < bytes.count else { break }
            index += 6 + size + length
        }
        return messages
    }
}
