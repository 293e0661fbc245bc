import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("HTTP/1.1 conformance: what gateways answer", .mayBlock)
struct AnswerConformanceTests {
    @Test("every case of Specs/http1-cases.json is refused or passed on as it says, and nothing is left for the next")
    func cases() async throws {
        let cases = try ConformanceCase.all("answers")
        #expect(cases.count > 90)
        let counts = cases.map { _ in Progress() }
        let upstream = try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard let number = Int(request.startLine.split(separator: " ")[1].dropFirst()) else {
                    try wire.send(Respond.with(200, body: "sentinel"))
                    continue
                }
                counts[number].add(1)
                try wire.send(cases[number].bytes("answer"))
                if cases[number].flag("keepsOpen") != true { return }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            // A kept connection, as most requests find one.
            #expect(try lab.exchange("GET", "/lab/sentinel").text == "sentinel")
            for (number, conformance) in cases.enumerated() {
                do {
                    try check(conformance, number, lab)
                } catch {
                    Issue.record(error, "\(conformance.name)")
                }
                let name = Comment(rawValue: conformance.name)
                #expect(counts[number].value == conformance.number("requests") ?? 1, name)
                #expect(try lab.exchange("GET", "/lab/sentinel").text == "sentinel", name)
            }
        }
    }

    private func check(_ conformance: ConformanceCase, _ number: Int, _ lab: Lab) throws {
        let name = Comment(rawValue: conformance.name)
        let method = conformance.text("method") ?? "GET"
        let wire = try lab.connect()
        wire.setTimeout(seconds: 5)
        try wire.send(
            conformance.flag("isOld") == true
                ? "GET /lab/\(number) HTTP/1.0\r\nx-api-key: \(Lab.token)\r\n\r\n" : lab.head(method, "/lab/\(number)"))
        if conformance.flag("breaks") == true {
            #expect(throws: WireError.self, name) { try wire.readResponse(to: method) }
            return
        }
        let response = try wire.readResponse(to: method)
        #expect(response.status == conformance.number("status"), name)
        if let body = conformance.expectedBytes("body") { #expect(response.raw == body, name) }
        let head = response.head.lowercased()
        for text in conformance.texts("has") { #expect(head.contains(text), name) }
        for text in conformance.texts("lacks") { #expect(!head.contains(text), name) }
        guard let interims = conformance.numbers("interims") else { return }
        let all = ConformanceCase.text(wire.received)
        #expect(statuses(all) == interims + [response.status], name)
        let before = all.split(separator: "\r\n\r\n").prefix(interims.count).joined(separator: "\r\n")
        for text in conformance.texts("interimHas") { #expect(before.contains(text), name) }
        for text in conformance.texts("interimLacks") { #expect(!before.contains(text), name) }
    }

    /// The statuses of all heads in what an agent received.
    private func statuses(_ text: String) -> [Int] {
        text.split(separator: "\r\n").filter { $0.hasPrefix("HTTP/1.1 ") }
            .compactMap { Int($0.split(separator: " ")[1]) }
    }

    static let answers = [
        "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-a: b\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ]

    @Test(
        "a gateway that closes after any byte of an answer is a 502 or breaks off, never a whole answer",
        arguments: answers)
    func earlyClose(text: String) async throws {
        let answer = Array(text.utf8)
        // The final head, and the interim one before it.
        let heads = text.contains("103") ? 2 : 1
        let head = text.split(separator: "\r\n\r\n").prefix(heads).reduce(0) { $0 + $1.utf8.count + 4 }
        let upstream = try ScriptedUpstream { wire, number in
            _ = try wire.readRequest()
            try wire.send(Array(answer[..<min(number, answer.count)]))
        }
        try await Lab.run(upstream) { lab async throws in
            for length in 0...answer.count {
                let response = Result { try lab.exchange("POST", "/lab/x", body: "q") }
                let status = try? response.get().status
                #expect(status == (length < head ? 502 : length < answer.count ? nil : 200), "\(length)")
            }
            #expect(upstream.connections.count == answer.count + 1)
        }
    }
}
