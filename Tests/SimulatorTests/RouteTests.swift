import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("What the gateway's routes answer")
struct RouteTests {
    @Test("a call without payment gets a challenge in the header and an empty body")
    func challenge() throws {
        let shop = try Shop()
        let reply = shop.gateway.reply(to: Shop.request(Shop.body()))
        #expect(reply.status == 402)
        #expect(reply.text == Array("{}".utf8))
        #expect(reply.field("cache-control") == "no-store")
        let challenge = try Challenge.read(reply.challengeSource)
        #expect(challenge.version == 2)
        #expect(challenge.error == "PAYMENT-SIGNATURE header is required")
        #expect(challenge.problems.isEmpty)
        #expect(challenge.requirements.map(\.network) == ["eip155:42161", "eip155:8453"])
        let entry = try #require(challenge.requirements.first)
        #expect(entry.asset == "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9")
        #expect(entry.payTo == Shop.payTo.checksummed)
        #expect(entry.maxTimeoutSeconds == 120)
        #expect(entry.extra.name == "USD\u{20ae}0")
        #expect(entry.extra.version == "1")
        #expect(challenge.extensions.map(\.key) == ["payment-identifier"])
        #expect(challenge.extensions.first?.isRequired == false)
        let resource = try JSONReader.read(try #require(challenge.resource))
        #expect(resource["url"]?.string == "http://127.0.0.1:8402/v1/chat/completions")
    }

    @Test(
        "the price follows the model, and auto chooses by the prompt",
        arguments: [
            ("auto", "hello", 300), ("auto", "Think about it", 60_000), ("auto", "Can you PROVE it?", 60_000),
            ("auto", "rethinking", 300), ("auto", String(repeating: "a", count: 4001), 60_000),
            ("simulator/light", "prove it", 300), ("simulator/flagship", "hello", 60_000),
        ] as [(String, String, UInt64)])
    func price(model: String, prompt: String, amount: UInt64) throws {
        let challenge = try Shop().challenge(Shop.body(prompt, model: model))
        #expect(challenge.requirements.map(\.amount) == [UInt256(amount), UInt256(amount)])
    }

    @Test("a paid call gets a completion, and the same call the same text")
    func completion() throws {
        let shop = try Shop()
        let reply = try shop.pay(shop.draft(nonce: 1))
        let root = try JSONReader.read(try #require(reply.text))
        #expect(root["object"]?.string == "chat.completion")
        #expect(root["model"]?.string == "simulator/light")
        #expect(root["id"]?.string?.utf8.count == 36)
        let choice = try #require(root["choices"]?.elements?.first)
        #expect(choice["finish_reason"]?.string == "stop")
        #expect(choice["message"]?["content"]?.string?.contains("hello") == true)
        let usage = try #require(root["usage"])
        let parts = ["prompt_tokens", "completion_tokens", "total_tokens"].compactMap { usage[$0]?.integer }
        #expect(parts.count == 3 && parts[0] + parts[1] == parts[2])
        #expect(try shop.pay(shop.draft(nonce: 2)).body == reply.body)
    }

    @Test("a streamed call brings role, text, end, usage and DONE")
    func stream() throws {
        let shop = try Shop()
        let body = Shop.body(stream: true)
        guard case .events(let events) = try shop.pay(try shop.draft(body), for: body).body else {
            Issue.record("the answer is no stream")
            return
        }
        #expect(events.last == Array("data: [DONE]\n\n".utf8))
        #expect(events.allSatisfy { $0.starts(with: "data: ".utf8) && $0.suffix(2) == [0x0a, 0x0a] })
        let chunks = try events.dropLast().map { try JSONReader.read(Array($0.dropFirst(6))) }
        #expect(chunks.allSatisfy { $0["object"]?.string == "chat.completion.chunk" })
        let choices = chunks.map { $0["choices"]?.elements?.first }
        #expect(choices.first??["delta"]?["role"]?.string == "assistant")
        let text = choices.compactMap { $0?["delta"]?["content"]?.string }.joined()
        #expect(text.contains("hello"))
        #expect(choices.dropLast().last??["finish_reason"]?.string == "stop")
        let total = try #require(chunks.last)
        #expect(total["choices"]?.elements?.isEmpty == true)
        #expect(total["usage"]?["completion_tokens"]?.integer == Int64(events.count - 4))
    }

    @Test("the legacy route speaks version 1 from challenge to receipt")
    func version1() throws {
        let shop = try Shop()
        let body = Shop.body()
        var request = Shop.request(body, path: "/v1-legacy/chat/completions")
        let asked = shop.gateway.reply(to: request)
        #expect(asked.status == 402)
        #expect(asked.field("PAYMENT-REQUIRED") == nil)
        let challenge = try Challenge.read(asked.challengeSource)
        #expect(challenge.version == 1)
        let entry = try #require(challenge.requirements.first)
        #expect(entry.network == "arbitrum")
        let draft = try shop.payer.draft(for: entry, at: shop.clock.now())
        let header = PaymentHeader.version1(
            payload: try shop.payer.payload(draft), scheme: entry.scheme, network: entry.network)
        request.paymentSignatures = [header.value]
        #expect(shop.gateway.reply(to: request).status == 402)
        request.paymentSignatures = []
        request.payments = [header.value]
        let reply = shop.gateway.reply(to: request)
        #expect(reply.status == 200)
        #expect(reply.settlement("X-PAYMENT-RESPONSE")?.network == "arbitrum")
        #expect(shop.gateway.settlements.map(\.network) == ["eip155:42161"])
    }

    @Test("two payment headers are one too many")
    func twoHeaders() throws {
        let shop = try Shop()
        let header = try shop.payer.header(try shop.draft())
        var request = Shop.request(Shop.body())
        request.paymentSignatures = [header, header]
        #expect(shop.gateway.reply(to: request).status == 400)
        #expect(shop.gateway.settlements.isEmpty)
    }

    @Test("a prepaid route is short of balance without a challenge")
    func prepaid() throws {
        let reply = try Shop().gateway.reply(
            to: Shop.request(Shop.body(), path: "/prepaid/v1/chat/completions"))
        #expect(reply.status == 402)
        #expect(throws: ChallengeProblem.absent) { try Challenge.read(reply.challengeSource) }
        #expect(try JSONReader.read(try #require(reply.text))["code"]?.integer == 402)
    }

    @Test(
        "other routes",
        arguments: [
            ("GET", "/v1/models", 200), ("GET", "/free", 200), ("GET", "/healthz", 200), ("GET", "/nowhere", 404),
            ("POST", "/", 404), ("GET", "/v1/chat/completions", 405), ("POST", "/v1/models", 405),
        ])
    func others(method: String, path: String, status: Int) throws {
        let reply = try Shop().gateway.reply(to: Shop.request([], path: path, method: method))
        #expect(reply.status == status)
        _ = try JSONReader.read(try #require(reply.text))
    }

    @Test(
        "a body that is no chat request is a bad request, before any price is named",
        arguments: [
            "", "[]", "{", #"{"model":"auto"}"#, #"{"model":"auto","messages":[]}"#,
            #"{"messages":[{"role":"user","content":"x"}]}"#, #"{"model":"auto","messages":[{"content":"x"}]}"#,
            #"{"model":"gpt","messages":[{"role":"user","content":"x"}]}"#,
        ])
    func badBody(text: String) throws {
        #expect(try Shop().gateway.reply(to: Shop.request(Array(text.utf8))).status == 400)
    }

    @Test("content in parts counts like a text")
    func parts() throws {
        let body = #"{"model":"auto","messages":[{"role":"user","content":[{"type":"text","text":"prove it"}]}]}"#
        #expect(try ChatRequest.read(Array(body.utf8)).model == .flagship)
    }

    @Test(
        "dates have HTTP's form",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_305_600, "Sun, 22 Nov 2026 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] as [(Int64, String)])
    func date(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).httpDate == text)
    }
}
