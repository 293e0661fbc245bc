import CZlib
import Primitives
import Testing

@testable import RequestFacts

/// What reading may cost: memory that does not grow, and a bound on what a small body may grow to.
@Suite("Facts: bounds")
struct BoundTests {
    private static func outline(_ coding: String? = nil) -> RequestOutline {
        RequestOutline(
            target: "/v1", contentTypes: [Array("application/json".utf8)],
            contentEncodings: coding.map { [Array($0.utf8)] } ?? [])
    }

    private static func read(_ body: [UInt8], coding: String? = nil) -> Fact<String> {
        ModelVectorTests.read(body, outline(coding), pieces: 256 << 10)
    }

    @Test("a body of 40 MiB with its model at the end is read")
    func long() {
        let reader = ModelReader(Self.outline())
        reader.absorb(Array(#"{"image":""#.utf8).span)
        let piece = [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20)
        for _ in 0..<40 { reader.absorb(piece.span) }
        reader.absorb(Array(#"","model":"m-large"}"#.utf8).span)
        #expect(reader.finish() == .known("m-large"))
    }

    @Test(
        "what is nested is passed over to a depth of a hundred thousand",
        arguments: [(99_999, Fact.known("m-large")), (100_000, .unknown)] as [(Int, Fact<String>)])
    func deep(depth: Int, fact: Fact<String>) {
        let brackets = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(Self.read(Array(#"{"tools":\#(brackets),"model":"m-large"}"#.utf8)) == fact)
    }

    @Test(
        "reading ends at the second name, however many follow",
        arguments: [
            ("application/json", #"{"model":"a0","model":"a1","#, #""model":"aN","#),
            ("application/x-www-form-urlencoded", "model=a0&model=a1&", "model=aN&"),
            (
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=model\r\n\r\na0\r\n"
                    + "--x\r\nContent-Disposition: form-data; name=model\r\n\r\na1\r\n--x\r\n",
                "Content-Disposition: form-data; name=model\r\n\r\naN\r\n--x\r\n"
            ),
        ])
    func settled(type: String, beginning: String, rest: String) {
        let reader = ModelReader(
            RequestOutline(target: "/v1", contentTypes: [Array(type.utf8)], contentEncodings: []))
        reader.absorb(Array(beginning.utf8).span)
        #expect(reader.isSettled)
        let many = (2..<200_000).map { rest.replacing("N", with: String($0)) }.joined()
        reader.absorb(Array(many.utf8).span)
        #expect(reader.finish() == .unknown)
    }

    @Test("two hundred thousand names in one piece are read in a moment", .timeLimit(.minutes(1)))
    func manyNames() {
        let names = (0..<200_000).map { #""model":"a\#($0)""# }.joined(separator: ",")
        #expect(Self.read(Array("{\(names)}".utf8)) == .unknown)
    }

    @Test(
        "a compressed body grows to a mebibyte and a hundredfold, and to 64 MiB",
        arguments: [(1 << 20, true), (4 << 20, false)] as [(Int, Bool)])
    func ratio(fill: Int, isRead: Bool) throws {
        let text = #"{"a":"\#(String(repeating: "a", count: fill))","model":"m-large"}"#
        let packed = try #require(Self.gzip(Array(text.utf8)))
        #expect(packed.count < fill / 200)
        #expect(Self.read(packed, coding: "gzip") == (isRead ? .known("m-large") : .unknown))
    }

    @Test(
        "a compressed body of that many mebibytes is read while it is not longer than 64",
        arguments: [(63, true), (65, false)] as [(Int, Bool)])
    func total(mebibytes: Int, isRead: Bool) throws {
        // Hardly compressible, so that the ratio does not bound it.
        var state: UInt64 = 7
        let block = [UInt8](filling: 1 << 20) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(ascii: "0") + UInt8(truncatingIfNeeded: state >> 59)
        }
        var text = Array(#"{"a":""#.utf8)
        for _ in 0..<mebibytes { text += block }
        text += Array(#"","model":"m-large"}"#.utf8)
        let packed = try #require(Self.gzip(text))
        #expect(Self.read(packed, coding: "gzip") == (isRead ? .known("m-large") : .unknown))
    }

    private static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard
            unsafe deflateInit2_(
                &stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
                == Z_OK
        else { return nil }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 1024)
        let count = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else { return 0 }
                return unsafe target.count - Int(stream.avail_out)
            }
        }
        return count == 0 ? nil : Array(output[..<count])
    }
}

extension [UInt8] {
    fileprivate init(filling count: Int, _ next: () -> UInt8) {
        self = (0..<count).map { _ in next() }
    }
}
