import Testing

@testable import Proxy

@Suite("What a rejection says")
struct RejectionTextTests {
    static let readable = [
        #"{"error":"insufficient_funds"}"#, #"{"error":{"message":"no"}}"#, #"{"error":{"code":"payment_failed"}}"#,
        #"{"message":"no"}"#, #"{"detail":"no"}"#, #"{"reason":"no"}"#, #"{"invalidReason":"insufficient_funds"}"#,
        #""no""#, "Payment failed", "<html><body>no</body></html>", #"{"error":"余额不足"}"#, "{broken",
    ]

    static let empty = [
        "{}", "", " \r\n", "[]", "null", #"{"error":""}"#, #"{"error":{}}"#, #"{"error":{"message":" "}}"#,
        #"{"error":null,"code":402}"#, #"{"x402Version":2,"accepts":[{"scheme":"exact"}]}"#, #"{"error":"!"}"#,
        #"{"success":false}"#, #"{"type":"error","code":"402"}"#,
    ]

    @Test("a text that a client shows is the seller's own", arguments: readable)
    func isReadable(body: String) { #expect(RejectionText.isReadable(in: Array(body.utf8))) }

    @Test("reject- bodies of which a client shows nothing", arguments: empty)
    func isEmpty(body: String) { #expect(!RejectionText.isReadable(in: Array(body.utf8))) }

    static let reasons: [(String, String?)] = [
        (#"{"error":"insufficient_funds"}"#, "insufficient_funds"),
        (#"{"error":{"code":"insufficient_funds","message":"no"}}"#, "insufficient_funds"),
        (#"{"error":"no","invalidReason":"insufficient_funds"}"#, "insufficient_funds"),
        (#"{"reason":"insufficient_funds"}"#, "insufficient_funds"), (#"{"error":{"message":"no"}}"#, "no"),
        ("{}", nil), ("no", nil), (#"{"error":402}"#, nil), (#"{"error":" "}"#, nil),
    ]

    @Test("the reason is the word that a JSON body has for it", arguments: reasons)
    func reason(body: String, expected: String?) { #expect(RejectionText.reason(in: Array(body.utf8)) == expected) }
}
