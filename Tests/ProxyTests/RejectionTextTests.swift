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
}
