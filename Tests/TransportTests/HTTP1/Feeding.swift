import NIOCore

@testable import Transport

/// How bytes arrive.
enum Arrival: String, Sendable, CaseIterable {
    case whole
    case byteByByte

    /// The pieces in which a text arrives.
    func pieces(of bytes: [UInt8]) -> [[UInt8]] {
        self == .whole ? [bytes] : bytes.map { [$0] }
    }
}

/// The bytes of a text, in which each character is one byte.
func latin1(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

/// The head at the front of some bytes, found as it is on a connection; nil when it has no end.
///
/// What is read already is in front of the buffer, so that offsets from its reader index are told from offsets in it.
func head(
    of bytes: [UInt8], _ arrival: Arrival, limit: Int = HTTP1Limits.requestHeadBytes
) throws(HTTP1Error) -> ByteBuffer? {
    var buffer = ByteBuffer(string: "earlier bytes")
    buffer.moveReaderIndex(to: buffer.writerIndex)
    var scanner = HeadScanner()
    for piece in arrival.pieces(of: bytes) {
        buffer.writeBytes(piece)
        if let length = try scanner.endOfHead(in: buffer, limit: limit) { return buffer.readSlice(length: length) }
    }
    return nil
}

/// A request's head, or what is wrong with it.
func request(_ text: String, _ arrival: Arrival = .whole) -> Result<RequestHead, HTTP1Error> {
    do throws(HTTP1Error) {
        guard let head = try head(of: latin1(text), arrival) else { return .failure(.headTooLarge) }
        return .success(try RequestHead(head))
    } catch {
        return .failure(error)
    }
}

/// A response's head, or what is wrong with it.
func response(_ text: String, _ arrival: Arrival = .whole) -> Result<ResponseHead, HTTP1Error> {
    do throws(HTTP1Error) {
        guard let head = try head(of: latin1(text), arrival, limit: HTTP1Limits.responseHeadBytes) else {
            return .failure(.headTooLarge)
        }
        return .success(try ResponseHead(head))
    } catch {
        return .failure(error)
    }
}

extension Result {
    /// The error, when there is one.
    var problem: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
