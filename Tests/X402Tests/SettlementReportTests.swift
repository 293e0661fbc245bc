import Primitives
import TestSupport
import Testing
import X402

@Suite("Settlement reports")
struct SettlementReportTests {
    private func read(_ text: String) -> SettlementReport? {
        SettlementReport.read(header: Array(text.utf8))
    }

    @Test("the SDK's headers read as what they say", arguments: try Vectors.rows("settle-response-headers"))
    func vectors(row: Vectors.Row) throws {
        let report = try #require(read(row.string("PAYMENT-RESPONSE")))
        let json = try #require(row.value["json"])
        #expect(try JSONValue.canonical(report.raw) == json.canonical)
        #expect(report.success == json["success"]?.bool)
        #expect(report.network == json["network"]?.string)
        #expect(report.errorReason == json["errorReason"]?.string)
        #expect(report.amount?.description == json["amount"]?.string)
        #expect(report.transaction ?? "" == json["transaction"]?.string)
        #expect(try report.isPending == (row.string("name") == "pending"))
    }

    @Test(
        "the transaction is told under one of three names, the first that tells one",
        arguments: [
            (#""transaction":"0xa","txHash":"0xb","txId":"0xc""#, "0xa"), (#""txHash":"0xb","txId":"0xc""#, "0xb"),
            (#""txId":"0xc""#, "0xc"), (#""transaction":null,"txHash":"0xb""#, "0xb"),
            (#""transaction":"","txId":"0xc""#, "0xc"), (#""transaction":7,"txHash":{},"txId":"0xc""#, "0xc"),
            (#""transaction":null"#, nil), (#""transaction":"""#, nil), (#""x":1"#, nil), (#""txhash":"0xb""#, nil),
        ])
    func transactions(members: String, transaction: String?) throws {
        #expect(try #require(read(#"{"success":true,\#(members)}"#)).transaction == transaction)
    }

    @Test("what is not read of a report may be anything, and what is read stands there once")
    func oddReport() throws {
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(read(#"{"success":true,"x":1,"x":2,"extensions":\#(deep),"transaction":"0xa"}"#)?.transaction == "0xa")
        #expect(read(#"{"success":true,"transaction":"0xa","transaction":"0xb"}"#) == nil)
    }

    @Test("plain JSON, missing padding and the url-safe alphabet are read")
    func spellings() throws {
        #expect(read(#"  {"success":true}  "#)?.success == true)
        #expect(read("eyJzdWNjZXNzIjpmYWxzZX0")?.success == false)
        #expect(read("eyJzdWNjZXNzIjpmYWxzZX0=")?.success == false)
    }

    @Test(
        "reject- what is no report",
        arguments: [
            "", "{}", "true", "e30=", #"{"success":"true"}"#, #"{"success":1}"#, #"{"success":null}"#,
            #"{"receiptId":"1","nonce":"2"}"#, #"{"success":true,"success":false}"#, #"{"success":true"#, "@", "[true]",
        ])
    func unreadable(text: String) {
        #expect(read(text) == nil)
    }

    @Test("a success is never pending, and members of other types are left out")
    func oddMembers() throws {
        let report = try #require(
            read(#"{"success":true,"errorReason":"settlement_pending","amount":5,"transaction":7,"network":null}"#))
        #expect(!report.isPending)
        #expect(report.amount == nil)
        #expect(report.transaction == nil)
        #expect(report.network == nil)
        #expect(read(#"{"success":true,"amount":"-5"}"#)?.amount == nil)
    }

    @Test("texts are made printable and short, and 8 KiB is the limit")
    func limits() throws {
        let long = String(repeating: "x", count: 1000)
        let report = try #require(
            read(#"{"success":false,"transaction":"a\r\nb\#(long)","errorReason":"\#(long)","network":"\#(long)"}"#))
        #expect(report.transaction?.hasPrefix("a  bx") == true)
        #expect(report.transaction?.count == 256)
        #expect(report.errorReason?.count == 128)
        #expect(report.network?.count == 128)
        let huge = String(repeating: "x", count: SettlementReport.maximumBytes)
        #expect(read(#"{"success":true,"x":"\#(huge)"}"#) == nil)
    }
}
