import Ledger
import Payments
import Primitives
import TestSupport
import Testing
import X402

@Suite("Paid answers")
struct PaidAnswerTests {
    enum Report: String, Sendable, CaseIterable {
        case none
        case success = #"{"success":true,"transaction":"0xab"}"#
        case failure = #"{"success":false,"errorReason":"insufficient_funds"}"#
        case pending = #"{"success":false,"errorReason":"settlement_pending","transaction":"0xef"}"#
        case nothingShown = #"{"success":true,"transaction":null}"#
        case nothingSent = #"{"success":true,"transaction":"","network":"eip155:42161"}"#
        case otherName = #"{"success":true,"txHash":"0xab"}"#
        case unreadable = #"{"receiptId":1}"#

        var report: SettlementReport? { SettlementReport.read(header: Array(rawValue.utf8)) }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let status: Int
        let report: Report
        let event: PaymentEvent

        init(_ status: Int, _ report: Report, _ event: PaymentEvent) {
            self.status = status
            self.report = report
            self.event = event
        }

        var testDescription: String { "\(status) with \(report) is \(event.rawValue)" }
    }

    static let table: [Row] = [
        Row(200, .success, .settled), Row(204, .success, .settled), Row(402, .success, .settled),
        Row(500, .success, .settled), Row(302, .success, .settled),
        Row(200, .none, .servedUnproven), Row(299, .unreadable, .servedUnproven), Row(201, .none, .servedUnproven),
        Row(101, .none, .servedUnproven),
        Row(200, .nothingShown, .servedUnproven), Row(200, .nothingSent, .servedUnproven),
        Row(101, .nothingShown, .servedUnproven), Row(500, .nothingShown, .lostSight),
        Row(402, .nothingShown, .lostSight), Row(412, .nothingSent, .lostSight), Row(302, .nothingSent, .lostSight),
        Row(200, .otherName, .settled), Row(500, .otherName, .settled),
        Row(200, .failure, .rejected), Row(402, .failure, .rejected), Row(500, .failure, .rejected),
        Row(402, .none, .rejected), Row(402, .unreadable, .rejected), Row(412, .none, .rejected),
        Row(200, .pending, .lostSight), Row(402, .pending, .lostSight), Row(500, .pending, .lostSight),
        Row(301, .none, .lostSight), Row(304, .none, .lostSight), Row(400, .none, .lostSight),
        Row(401, .none, .lostSight), Row(403, .none, .lostSight), Row(404, .none, .lostSight),
        Row(408, .none, .lostSight), Row(409, .none, .lostSight), Row(429, .none, .lostSight),
        Row(500, .none, .lostSight), Row(502, .unreadable, .lostSight), Row(504, .none, .lostSight),
    ]

    @Test("an answer means one event", arguments: table)
    func event(row: Row) {
        #expect(
            PaidAnswer.response(status: row.status, report: row.report.report).event(wasSentBefore: false) == row.event)
    }

    @Test(
        "the seller's word alone never ends exposure, whatever the status",
        arguments: [Report.none, .failure, .pending])
    func exposure(report: Report) throws {
        // A switch of protocols serves what was asked for, as 2xx does.
        for status in 100..<600 where !((200..<300).contains(status) || status == 101) || report != .none {
            let event = PaidAnswer.response(status: status, report: report.report).event(wasSentBefore: false)
            #expect(try #require(PaymentState.reserved.after(event)).isOpen)
        }
    }

    struct SecondAnswer: Sendable, CustomTestStringConvertible {
        let status: Int
        let report: String?
        let reason: String?
        let event: PaymentEvent

        init(_ status: Int, report: String? = nil, reason: String? = nil, _ event: PaymentEvent) {
            self.status = status
            self.report = report
            self.reason = reason
            self.event = event
        }

        var answer: PaidAnswer {
            let text = report.map { #"{"success":false,"errorReason":"\#($0)"}"# }
            return .response(
                status: status, report: text.flatMap { SettlementReport.read(header: Array($0.utf8)) }, reason: reason)
        }

        var testDescription: String { "\(status) \(report ?? "") \(reason ?? "") is \(event.rawValue)" }
    }

    static let secondAnswers = [
        SecondAnswer(409, .alreadyUsed), SecondAnswer(402, reason: "nonce_already_used", .alreadyUsed),
        SecondAnswer(402, reason: "invalid_exact_evm_nonce_already_used", .alreadyUsed),
        SecondAnswer(402, report: "invalid_exact_evm_nonce_already_used", .alreadyUsed),
        SecondAnswer(500, report: "nonce_already_used", .alreadyUsed),
        SecondAnswer(402, report: "duplicate_settlement", .alreadyUsed),
        SecondAnswer(409, report: "settlement_pending", .lostSight),
        SecondAnswer(402, reason: "insufficient_funds", .rejected), SecondAnswer(402, .rejected),
        SecondAnswer(200, .servedUnproven), SecondAnswer(429, .lostSight), SecondAnswer(500, .lostSight),
    ]

    @Test(
        "to bytes that were sent before, a seller that has seen them says that the money is gone",
        arguments: secondAnswers)
    func secondAnswer(row: SecondAnswer) {
        #expect(row.answer.event(wasSentBefore: true) == row.event)
        #expect(row.answer.event(wasSentBefore: false) != .alreadyUsed)
    }

    @Test("what was sent before is never voided")
    func neverSentAgain() {
        #expect(PaidAnswer.neverSent(reason: "x").event(wasSentBefore: true) == .lostSight)
        #expect(PaidAnswer.neverSent(reason: "x").event(wasSentBefore: false) == .neverSent)
    }

    @Test("an outcome is booked with its evidence", arguments: table)
    func booked(row: Row) async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        await desk.book(.response(status: row.status, report: row.report.report), of: payment)
        let record = try #require(await desk.books.payment(payment.id))
        #expect(record.state == PaymentState.reserved.after(row.event))
        #expect(record.evidence.status == row.status)
        #expect(record.evidence.signature?.count == 65)
        #expect(record.evidence.settlement == row.report.report?.raw)
        #expect(record.evidence.transaction == row.report.report?.transaction)
        #expect(try await desk.books.history(of: payment.id).map(\.line.cause) == ["reserved", row.event.rawValue])
    }

    @Test("silence is doubt, and what was never sent is void and keeps no signature")
    func withoutResponse() async throws {
        let desk = try await Desk()
        let lost = try await desk.paid()
        let unsent = try await desk.paid()
        await desk.book(.silence(reason: "no answer in time"), of: lost)
        await desk.book(.neverSent(reason: "no connection"), of: unsent)
        let lostRow = try #require(await desk.books.payment(lost.id))
        #expect(lostRow.state == .inDoubt)
        #expect(lostRow.evidence.signature?.count == 65)
        #expect(lostRow.evidence.reason == "no answer in time")
        let unsentRow = try #require(await desk.books.payment(unsent.id))
        #expect(unsentRow.state == .voided)
        #expect(unsentRow.evidence.signature == nil)
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("a smaller settled amount does not lower what is booked")
    func smallerAmount() async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        let report = SettlementReport.read(header: Array(#"{"success":true,"amount":"1","network":"base"}"#.utf8))
        await desk.book(.response(status: 200, report: report), of: payment)
        #expect(try await desk.books.used(.day) == .cents(1))
    }
}
