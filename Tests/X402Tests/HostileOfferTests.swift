import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Signed offers that mean harm")
struct HostileOfferTests {
    private typealias Seller = SellerSigning

    private func verdict(_ offers: [String]) throws -> ProofVerdict? { try Seller.finding(offers: offers)?.verdict }

    private static let payload = Seller.payload(Seller.offer)

    @Test("reject- headers that are not understood, each by its part")
    func headers() throws {
        let rows: [(String, String)] = [
            (#"{"alg":"none","kid":"\#(Seller.did)"}"#, "alg"), (#"{"alg":"HS256","kid":"\#(Seller.did)"}"#, "alg"),
            (#"{"alg":"es256k","kid":"\#(Seller.did)"}"#, "alg"), (#"{"kid":"\#(Seller.did)"}"#, "alg"),
            (#"{"alg":["ES256K"],"kid":"\#(Seller.did)"}"#, "alg"), (#"{"alg":"ES256K"}"#, "kid"),
            (#"{"alg":"ES256K","kid":7}"#, "kid"), (#"{"alg":"EdDSA","kid":"\#(Seller.did)"}"#, "alg"),
            (#"{"alg":"ES256K","kid":"\#(Seller.did)","crit":["exp"],"exp":1}"#, "header"),
            (#"{"alg":"ES256K","kid":"\#(Seller.did)","b64":false}"#, "header"),
            (#"{"alg":"none","alg":"ES256K","kid":"\#(Seller.did)"}"#, "header"), ("[]", "header"), ("", "header"),
            ("{", "header"), ("\"ES256K\"", "header"),
        ]
        for (header, part) in rows {
            let offer = try Seller.compact(Self.payload, header: header)
            #expect(try verdict([offer]) == .unreadable(part), "\(header)")
        }
    }

    @Test("reject- payloads that are no object, or name a member twice")
    func payloads() throws {
        let twice = Self.payload.replacing(#""amount":"10000""#, with: #""amount":"1","amount":"10000""#)
        for payload in ["", "[]", "7", "null", "{", twice, Self.payload + "x"] {
            #expect(try verdict([Seller.compact(payload)]) == .unreadable("payload"), "\(payload)")
        }
        #expect(try verdict([Seller.typed(twice, digest: Seller.offer.digest)]) == .unreadable("offers"))
    }

    @Test("reject- a payload that is not UTF-8")
    func notUTF8() throws {
        let payload = Array(Self.payload.utf8.dropLast()) + Array(#","x":""#.utf8) + [0xff] + Array("\"}".utf8)
        let head = SellerSigning.urlSafe(Array(#"{"alg":"ES256K","kid":"\#(Seller.did)"}"#.utf8))
        let signature = SellerSigning.urlSafe([UInt8](repeating: 1, count: 64))
        let offer = #"{"format":"jws","signature":"\#(head).\#(SellerSigning.urlSafe(payload)).\#(signature)"}"#
        #expect(try verdict([offer]) == .unreadable("payload"))
    }

    @Test("reject- compact signatures in any other spelling")
    func spellings() throws {
        let offer = try Seller.compact(Self.payload)
        let value = try #require(JSONReader.read(Array(offer.utf8))["signature"]?.string)
        let parts = value.split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        let short = SellerSigning.urlSafe([UInt8](repeating: 1, count: 63))
        for text in [
            "", "..", value + ".", "." + value, value + "=", " " + value, value + "\\n", parts[0] + "." + parts[1],
            parts[0] + "=." + parts[1] + "." + parts[2], parts[0] + "." + parts[1] + "." + short,
            parts[0] + "+." + parts[1] + "." + parts[2], parts[0] + "." + parts[1] + "." + parts[2] + "AAAA",
            parts[0] + "." + parts[1] + "." + parts[2] + "." + parts[2],
        ] {
            #expect(try verdict([#"{"format":"jws","signature":"\#(text)"}"#]) == .unreadable("signature"), "\(text)")
        }
    }

    @Test("reject- typed data with members of the wrong type, each by its name")
    func types() throws {
        let digest = Seller.offer.digest
        let rows: [(String, String, String)] = [
            (#""version":1"#, #""version":"1""#, "version"), (#""version":1"#, #""version":2"#, "version"),
            (#""version":1"#, #""version":1.0"#, "version"), (#""version":1"#, #""version":true"#, "version"),
            (#""version":1,"#, "", "version"), (#""scheme":"exact""#, #""scheme":["exact"]"#, "scheme"),
            (#""amount":"10000""#, #""amount":10000"#, "amount"), (#""amount":"10000","#, "", "amount"),
            (#""validUntil":1795305660"#, #""validUntil":"1795305660""#, "validUntil"),
            (#""validUntil":1795305660"#, #""validUntil":-1"#, "validUntil"),
            (#""validUntil":1795305660"#, #""validUntil":1e9"#, "validUntil"),
            (#""validUntil":1795305660"#, #""validUntil":99999999999999999999"#, "validUntil"),
            (#""resourceUrl":"\#(Seller.resource)""#, #""resourceUrl":null"#, "resourceUrl"),
        ]
        for (text, replacement, member) in rows {
            #expect(Self.payload.contains(text))
            let offer = try Seller.typed(Self.payload.replacing(text, with: replacement), digest: digest)
            #expect(try verdict([offer]) == .unreadable(member), "\(replacement)")
        }
    }

    @Test("reject- objects of another shape")
    func shapes() throws {
        let signature = try VectorKey.seller.sign(Seller.offer.digest).hex
        let rows: [(String, String)] = [
            ("7", "length"), ("[]", "length"), ("{}", "signature"),
            (#"{"signature":"\#(signature)","payload":\#(Self.payload)}"#, "format"),
            (#"{"format":"EIP712","signature":"\#(signature)","payload":\#(Self.payload)}"#, "format"),
            (#"{"format":"eip712","signature":"\#(signature)"}"#, "payload"),
            (#"{"format":"eip712","signature":"\#(signature)","payload":"x"}"#, "payload"),
            (#"{"format":"eip712","signature":"\#(signature)00","payload":\#(Self.payload)}"#, "signature"),
            (#"{"format":"eip712","signature":"\#(signature.dropLast(2))02","payload":\#(Self.payload)}"#, "signature"),
            (#"{"format":"eip712","signature":"\#(signature.dropFirst(2))","payload":\#(Self.payload)}"#, "signature"),
            (#"{"format":"eip712","signature":"0xzz","payload":\#(Self.payload)}"#, "signature"),
            (#"{"format":"eip712","signature":7,"payload":\#(Self.payload)}"#, "signature"),
        ]
        for (object, part) in rows { #expect(try verdict([object]) == .unreadable(part), "\(object)") }
        let zeros = #"{"format":"eip712","signature":"0x\#(String(repeating: "0", count: 128))1b","payload":"#
        #expect(try verdict([zeros + Self.payload + "}"]) == .badSignature)
    }

    @Test("reject- an object that is longer than what is kept, by a byte")
    func length() throws {
        let good = try Seller.typed(Seller.offer).dropLast()
        for (count, isRead) in [(4096, true), (4097, false)] {
            let padding = String(repeating: "x", count: count - good.utf8.count - 8)
            let object = good + #","x":"\#(padding)"}"#
            #expect(object.utf8.count == count - 1 || object.utf8.count == count)
            let whole = object.utf8.count == count ? object : object.replacing(#","x""#, with: #", "x""#)
            #expect(whole.utf8.count == count)
            let finding = try Seller.finding(offers: [String(whole)])
            #expect((finding?.verdict == .unreadable("length")) == !isRead)
            #expect((finding?.text?.count == count) == isRead)
        }
    }

    @Test("no more than 64 offers are read, and no more than 8 signatures verified")
    func bounds() throws {
        let good = try Seller.typed(Seller.offer)
        let verified = try ProofVerdict.verified(by: .address(VectorKey.seller.address))
        func behind(_ count: Int, _ filler: String) throws -> ProofVerdict? {
            try verdict(Array(repeating: filler, count: count) + [good])
        }
        #expect(try behind(63, "7") == verified)
        #expect(try behind(64, "7") == .unreadable("length"))
        let stranger = try Seller.typed(Seller.offer, by: .stranger)
        #expect(try behind(7, stranger) == verified)
        #expect(try behind(8, stranger) == .unauthorizedSigner(.address(VectorKey.stranger.address)))
        // What does not match costs no signature.
        var cheap = Seller.offer
        cheap.amount = "1"
        #expect(try behind(60, Seller.typed(cheap)) == verified)
    }

    @Test("of several offers that fail, the verdict that tells the most is given")
    func best() throws {
        var ended = Seller.offer
        ended.validUntil = 1
        var other = Seller.offer
        other.amount = "1"
        let offers = try ["7", Seller.typed(other), Seller.typed(Seller.offer, by: .stranger), Seller.typed(ended)]
        let verdicts = try (1...4).map { try verdict(Array(offers.prefix($0))) }
        #expect(
            try verdicts == [
                .unreadable("length"), .mismatch("amount"),
                .unauthorizedSigner(.address(VectorKey.stranger.address)), .expired,
            ])
        #expect(try verdict(offers.reversed()) == .expired)
    }
}
