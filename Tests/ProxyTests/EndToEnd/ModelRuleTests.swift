import Ledger
import Policy
import Primitives
import Proxy
import TestSupport
import Testing

/// A policy that refuses one model and approves the rest, and what agents send to get that model all the same.
@Suite("Rules about models", .mayBlock)
struct ModelRuleTests {
    /// A request for the model `m-large`, however it is sent, with what the books say of its model.
    struct Attempt: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var target = "/lab/v1/chat/completions"
        var fields = ["content-type: application/json"]
        var body: [UInt8]
        var coding: String?
        var chunk: Int?
        var fact: Fact<String> = .known("m-large")

        init(
            _ name: String, _ body: String, target: String = "/lab/v1/chat/completions",
            fields: [String] = ["content-type: application/json"], coding: String? = nil, chunk: Int? = nil,
            is fact: Fact<String> = .known("m-large")
        ) {
            testDescription = name
            self.target = target
            self.fields = fields + (coding.map { ["content-encoding: \($0)"] } ?? [])
            self.body = Array(body.utf8)
            self.coding = coding
            self.chunk = chunk
            self.fact = fact
        }
    }

    private static let plain = #"{"model":"m-large"}"#
    /// Some 1.3 MB that compress as images in base 64 do: hardly.
    private static let image: String = {
        let letters = BodyTests.body(1_300_000).map { UInt8(ascii: "A") + $0 % 26 }
        return #"{"messages":[{"image":"\#(String(decoding: letters, as: UTF8.self))"}],"model":"m-large"}"#
    }()
    private static let schema =
        #"{"tools":[\#(String(repeating: #"{"a":["#, count: 40))\#(String(repeating: "]}", count: 40))],"model":"m-large"}"#
    private static let parts =
        "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nm-large\r\n--x--\r\n"

    static let attempts: [Attempt] = [
        Attempt("plain", plain),
        Attempt("gzip", plain, coding: "gzip"),
        Attempt("deflate", plain, coding: "deflate"),
        Attempt("gzip in chunks", plain, coding: "gzip", chunk: 3),
        Attempt("an image of 1.3 MB", image),
        Attempt("an image of 1.3 MB in gzip", image, coding: "gzip"),
        Attempt("an image of 1.3 MB in chunks", image, chunk: 50_000),
        Attempt("a deep schema", schema),
        Attempt("half a pair of surrogates", #"{"a":"\ud800","model":"m-large"}"#),
        Attempt("a repeated member", #"{"a":1,"a":2,"model":"m-large"}"#),
        Attempt("a form", "model=m-large", fields: ["content-type: application/x-www-form-urlencoded"]),
        Attempt("a form in parts", parts, fields: ["content-type: multipart/form-data; boundary=x"]),
        Attempt("a query", "", target: "/lab/v1/run?model=m-large", fields: []),
        Attempt("a path", "{}", target: "/lab/v1beta/models/m-large:generateContent"),
        Attempt("a deployment", "{}", target: "/lab/openai/deployments/m-large/chat/completions"),
        Attempt("another coding", plain, coding: "identity, br", is: .unknown),
        Attempt("two models", #"{"model":"m-small","model":"m-large"}"#, is: .unknown),
        Attempt("no type", plain, fields: [], is: .unknown),
        Attempt("a text", plain, fields: ["content-type: text/plain"], is: .unknown),
        Attempt("an image that is JSON", plain, fields: ["content-type: image/png"], is: .unknown),
        Attempt(
            "a type for this hop only", "GIF89a", fields: ["content-type: image/gif", "connection: content-type"],
            is: .unknown),
        Attempt("another model in the query", plain, target: "/lab/v1/run?model=m-small", is: .unknown),
        Attempt("no type beside a query", plain, target: "/lab/v1/run?model=m-small", fields: [], is: .unknown),
        Attempt("JSON that ends early", #"{"model":"m-large""#, is: .unknown),
        Attempt("another case", #"{"Model":"m-large"}"#, is: .unknown),
    ]

    private static func options(_ rules: PolicyRule..., standard: PolicyOutcome) -> Lab.Options {
        var options = Lab.Options()
        options.replay.memory = 256 << 10
        options.rules = PolicySnapshot(rules: PolicyRules(rules, standard: standard), hash: .numbered(7))
        return options
    }

    private static func rule(_ outcome: PolicyOutcome, model: String) throws -> PolicyRule {
        let pattern = TextPattern.glob(try #require(Glob(model, separator: nil)))
        return PolicyRule(name: "models", matchers: [.oneOf(.model, [pattern])], outcome: outcome)
    }

    private static func send(_ attempt: Attempt, in lab: Lab) throws -> Message {
        var body = attempt.body
        if let coding = attempt.coding, coding == "gzip" || coding == "deflate" {
            body = try Compression.encode(body, coding: coding)
        }
        let wire = try lab.connect()
        guard let chunk = attempt.chunk else {
            try wire.send(lab.head("POST", attempt.target, attempt.fields, length: body.count))
            try wire.send(body)
            return try wire.readResponse()
        }
        try wire.send(lab.head("POST", attempt.target, attempt.fields + ["transfer-encoding: chunked"]))
        for start in stride(from: 0, to: body.count, by: chunk) {
            let piece = body[start..<min(start + chunk, body.count)]
            try wire.send(Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [13, 10])
        }
        try wire.send("0\r\n\r\n")
        return try wire.readResponse()
    }

    @Test("a refused model is refused however it is sent, and nothing is signed", arguments: attempts)
    func refused(attempt: Attempt) async throws {
        let options = Self.options(try Self.rule(.refuse, model: "m-large"), standard: .approve)
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()]))
        try await Lab.run(options, upstream) { lab async throws in
            let response = try Self.send(attempt, in: lab)
            #expect(response.status == 402)
            #expect(response.text.contains("policy-refused"))
            #expect(response.text.contains("is unknown") == (attempt.fact == .unknown))
            let payment = try await lab.payment()
            #expect(payment.state == .refused && payment.purpose.request?.model == attempt.fact)
            let requests = try upstream.received.flatMap { try Requests($0).all }
            #expect(requests.count == 1 && !requests.contains(where: Seller.isPaid))
        }
    }

    @Test("a list of models that may be bought does not approve what cannot be read", arguments: attempts)
    func listed(attempt: Attempt) async throws {
        let options = Self.options(try Self.rule(.approve, model: "m-large"), standard: .refuse)
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()]))
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try Self.send(attempt, in: lab).status == (attempt.fact == .unknown ? 402 : 200))
        }
    }

    @Test(
        "what names no model is met by no rule about one",
        arguments: [
            Attempt("no model", #"{"input":{"model":"m-large"}}"#, is: .absent),
            Attempt("no body", "", fields: [], is: .absent),
            Attempt("an image", "GIF89a\u{1}", fields: ["content-type: image/gif"], is: .absent),
        ])
    func absent(attempt: Attempt) async throws {
        let options = Self.options(try Self.rule(.refuse, model: "*"), standard: .approve)
        try await Lab.run(options, try Seller.serving(Respond.with(200, [Seller.report()]))) { lab async throws in
            #expect(try Self.send(attempt, in: lab).status == 200)
            #expect(try await lab.payment().purpose.request?.model == .absent)
        }
    }

    @Test("no price is learned for an unknown model, and none that was learned is used for one")
    func learned() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()]))
        var options = Lab.Options()
        options.learnedPrice = .always
        try await Lab.run(options, upstream) { lab async throws in
            func paid() throws -> [Bool] { try upstream.received.flatMap { try Requests($0).all }.map(Seller.isPaid) }
            let known = Attempt("known", Self.plain)
            let unknown = Attempt("unknown", Self.plain, fields: ["content-type: text/plain"], is: .unknown)
            for _ in 0..<5 { #expect(try Self.send(unknown, in: lab).status == 200) }
            #expect(try paid() == Array(repeating: [false, true], count: 5).flatMap(\.self))
            for _ in 0..<3 { #expect(try Self.send(known, in: lab).status == 200) }
            #expect(try Self.send(unknown, in: lab).status == 200)
            #expect(try paid().suffix(2) == [false, true])
            #expect(try Self.send(known, in: lab).status == 200)
            #expect(try paid().suffix(2) == [true, true])
        }
    }
}
