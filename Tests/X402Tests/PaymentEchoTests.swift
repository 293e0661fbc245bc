import Primitives
import Testing
import X402

@Suite("What a payment echoes")
struct PaymentEchoTests {
    private static let compared =
        #""scheme":"exact","network":"eip155:8453","asset":"0x01","amount":"10000","payTo":"0x02","#
        + #""maxTimeoutSeconds":60,"extra":{"name":"n","unknown":[1]}"#
    private static let identifier = PaymentIdentifier("pay_00000000000000000000000000000000")
    private static let payload = Array(("{" + String(repeating: " ", count: 500) + "}").utf8)

    private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    private func challenge(
        schema: Int = 0, resource: Int = 0, extensions: [(String, Int, isRequired: Bool)] = [], version: Int = 2
    ) throws -> Challenge {
        let members = extensions.map { key, count, isRequired in
            #""\#(key)":{"info":{"required":\#(isRequired)},"text":"\#(text(count))"}"#
        }
        let document =
            #"{"x402Version":\#(version),"resource":{"url":"\#(text(resource))"},"accepts":[{\#(Self.compared),"#
            + #""outputSchema":"\#(text(schema))"}],"extensions":{\#(members.joined(separator: ","))}}"#
        return try Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))
    }

    private func echo(_ challenge: Challenge, trimsEntry: Bool = false) throws -> PaymentEcho? {
        let entry = try #require(challenge.requirements.first)
        let echo = PaymentEcho(
            of: challenge, for: entry, payloadBytes: Self.payload.count, identifier: Self.identifier,
            trimsEntry: trimsEntry)
        // What the gate goes by is what can be written in the end.
        #expect(
            PaymentEcho.fits(challenge, for: entry, payloadBytes: Self.payload.count, trimsEntry: trimsEntry)
                == (echo != nil))
        return echo
    }

    private func line(_ echo: PaymentEcho, version: Int = 2) throws -> String {
        let header = PaymentHeader.rebuild(
            version: version, payload: Self.payload, accepted: echo.accepted, resource: echo.resource,
            extensions: echo.extensions)
        let written = try #require(header)
        return "\(written.name): \(written.value)"
    }

    private func keys(_ echo: PaymentEcho) -> [String] {
        echo.extensions.flatMap { try? JSONReader.read($0) }?.members?.map(\.key) ?? []
    }

    @Test("where there is room everything goes back")
    func room() throws {
        let challenge = try challenge(schema: 100, resource: 100, extensions: [("bazaar", 100, false), ("x", 9, true)])
        let echo = try #require(try echo(challenge))
        #expect(echo.accepted == challenge.requirements.first?.raw && echo.resource == challenge.resource)
        #expect(keys(echo) == ["bazaar", "x"])
    }

    @Test("the payload of a short payment is not written to be measured, and that of a long one is", arguments: [1, 2])
    func measuring(version: Int) throws {
        var asked = 0
        func size() -> Int {
            asked += 1
            return Self.payload.count
        }
        func ask(_ challenge: Challenge) throws {
            let entry = try #require(challenge.requirements.first)
            // The macro would evaluate the argument by itself.
            let fits = PaymentEcho.fits(challenge, for: entry, payloadBytes: size(), trimsEntry: false)
            let echo = PaymentEcho(of: challenge, for: entry, payloadBytes: size(), identifier: Self.identifier)
            #expect(fits && echo != nil)
        }
        try ask(challenge(extensions: [("bazaar", 100, false)], version: version))
        #expect(asked == 0)
        try ask(challenge(schema: 3000, version: version))
        // Version 1 echoes no entry.
        #expect(asked == (version == 1 ? 0 : 2))
    }

    @Test("a key that is longer with its escapes counts as it is written")
    func escapedKeys() throws {
        let key = String(repeating: #"\u0001"#, count: 700)
        let echoed = try #require(try echo(challenge(extensions: [(key, 10, false)])))
        #expect(echoed.extensions == nil)
        #expect(try line(echoed).utf8.count <= PaymentEcho.maximumLineBytes)
    }

    @Test("extensions that require nothing go before the resource, and what is required never")
    func order() throws {
        let optional = try challenge(resource: 2000, extensions: [("x", 2500, false)])
        var echoed = try #require(try echo(optional))
        #expect(echoed.resource == optional.resource && keys(echoed).isEmpty)
        let required = try challenge(resource: 2000, extensions: [("x", 2500, true)])
        echoed = try #require(try echo(required))
        #expect(echoed.resource == nil && keys(echoed) == ["x"])
        // Without the resource there is room again.
        let long = try challenge(resource: 9000, extensions: [("x", 500, false), ("bazaar", 9000, false)])
        echoed = try #require(try echo(long))
        #expect(echoed.resource == nil && keys(echoed) == ["x"])
        #expect(try echo(challenge(extensions: [("x", 9000, true)])) == nil)
        #expect(try echo(challenge(extensions: [("x", 9000, true)]), trimsEntry: true) == nil)
    }

    @Test("the entry goes back whole, to the byte that fits into 6 KiB of line, and else nothing is paid")
    func exact() throws {
        var most = 0
        for schema in 3000..<4600 {
            guard let echoed = try echo(challenge(schema: schema)) else { break }
            most = schema
            #expect(try line(echoed).utf8.count <= PaymentEcho.maximumLineBytes)
        }
        let fitting = try #require(try echo(challenge(schema: most)))
        let challenge = try challenge(schema: most)
        #expect(fitting.accepted == challenge.requirements.first?.raw)
        #expect(try line(fitting).utf8.count > PaymentEcho.maximumLineBytes - 4)
        #expect(try echo(self.challenge(schema: most + 1)) == nil)
        #expect(try echo(self.challenge(schema: 20_000)) == nil)
    }

    @Test("a gateway that is known to compare what is needed gets that, where the whole is too long")
    func trimmed() throws {
        let short = try challenge(schema: 100)
        #expect(try echo(short, trimsEntry: true)?.accepted == short.requirements.first?.raw)
        let long = try challenge(schema: 20_000, resource: 1000, extensions: [("x", 1000, false)])
        let echoed = try #require(try echo(long, trimsEntry: true))
        #expect(String(decoding: echoed.accepted, as: UTF8.self) == "{\(Self.compared)}")
        #expect(echoed.resource == long.resource && keys(echoed) == ["x"])
        let entry = try #require(PaymentRequirement(received: echoed.accepted))
        let whole = try #require(long.requirements.first)
        #expect(entry.amount == whole.amount && entry.payTo == whole.payTo && entry.extra == whole.extra)
        #expect(entry.scheme == whole.scheme && entry.network == whole.network && entry.asset == whole.asset)
        #expect(entry.maxTimeoutSeconds == whole.maxTimeoutSeconds)
    }

    @Test("a payment of version 1 echoes scheme and network alone, and its line is measured too")
    func version1() throws {
        let challenge = try challenge(schema: 20_000, resource: 9000, extensions: [("x", 9000, true)], version: 1)
        let echoed = try #require(try echo(challenge))
        #expect(echoed.resource == nil && echoed.extensions == nil)
        #expect(try line(echoed, version: 1).utf8.count < 1000)
        let name = text(5000)
        let document = #"{"x402Version":1,"accepts":[{\#(Self.compared.replacing("eip155:8453", with: name))}]}"#
        #expect(try echo(Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))) == nil)
    }

    @Test("an identifier is added to an entry whose other members may be anything, byte for byte")
    func identifier() throws {
        let document =
            #"{"x402Version":2,"accepts":[{\#(Self.compared)}],"extensions":{"payment-identifier":"#
            + #"{ "schema":[[{"a":1,"a":"\ud800"}]], "info" : {"required" :true } , "z":1.50}}}"#
        let challenge = try Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))
        let echoed = try #require(try echo(challenge)?.extensions)
        #expect(
            String(decoding: echoed, as: UTF8.self)
                == #"{"payment-identifier":{ "schema":[[{"a":1,"a":"\ud800"}]], "info" : {"required" :true ,"#
                + #""id":"pay_00000000000000000000000000000000"} , "z":1.50}}"#)
    }
}
