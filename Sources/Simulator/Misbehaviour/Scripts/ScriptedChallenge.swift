import Primitives

/// One entry of `accepts` as JSON text, member by member, so that any of them can be wrong in any way.
struct ScriptedEntry: Sendable {
    /// Names and JSON texts in order; a name may stand twice.
    var members: [(name: String, text: String)]

    /// One cent of USDT on Arbitrum, by version 2 of the protocol: what every case asks unless it says otherwise.
    static let usdt = ScriptedEntry(members: [
        ("scheme", #""exact""#), ("network", #""eip155:42161""#), ("amount", #""10000""#),
        ("asset", #""0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9""#), ("payTo", quoted(payee)),
        ("maxTimeoutSeconds", "60"), ("extra", #"{"name":"USD₮0","version":"1"}"#),
    ])

    /// The same by version 1.
    static let version1 = ScriptedEntry(members: [
        ("scheme", #""exact""#), ("network", #""arbitrum""#), ("maxAmountRequired", #""10000""#),
        ("resource", #""http://127.0.0.1/evil""#), ("description", #""""#), ("mimeType", #""""#),
        ("asset", #""0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9""#), ("payTo", quoted(payee)),
        ("maxTimeoutSeconds", "60"), ("extra", #"{"name":"USD₮0","version":"1"}"#),
    ])

    /// One cent of USDT on BNB Chain, which only Permit2 can move.
    static let permit2 = ScriptedEntry(members: [
        ("scheme", #""exact""#), ("network", #""eip155:56""#), ("amount", #""10000000000000000""#),
        ("asset", #""0x55d398326f99059fF775485246999027B3197955""#), ("payTo", quoted(payee)),
        ("maxTimeoutSeconds", "60"), ("extra", #"{"assetTransferMethod":"permit2"}"#),
    ])

    /// Who is paid unless a case says otherwise.
    static let payee = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
    /// Who is not to be paid.
    static let stranger = "0x30C3A5f4Dc42d4b0a692Aba7f82e04b2957c7b53"

    /// The first member of that name; setting replaces it or adds one, setting nil takes it out.
    subscript(name: String) -> String? {
        get { members.first { $0.name == name }?.text }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let text?): members[index].text = text
            case (let index?, nil): members.remove(at: index)
            case (nil, let text?): members.append((name, text))
            case (nil, nil): break
            }
        }
    }

    /// The JSON text.
    var json: String {
        "{" + members.map { "\"\($0.name)\":\($0.text)" }.joined(separator: ",") + "}"
    }
}

/// A JSON string of a text that needs no escapes.
func quoted(_ text: String) -> String { "\"\(text)\"" }

/// A challenge as JSON texts.
struct ScriptedChallenge: Sendable {
    /// `x402Version`; nil leaves it out.
    var version: String? = "2"
    /// `error`.
    var error: String? = #""PAYMENT-SIGNATURE header is required""#
    /// `resource`; nil leaves it out.
    var resource: String? = #"{"url":"http://127.0.0.1/evil","description":"evil","mimeType":"application/json"}"#
    /// `accepts`, entry by entry.
    var entries = [ScriptedEntry.usdt]
    /// `accepts` as a whole, in place of the entries.
    var accepts: String?
    /// `extensions`.
    var extensions: String?
    /// Field lines beside the challenge's own.
    var lines: [String] = []
    /// The body.
    var body = "{}"

    /// A challenge of version 1, which stands in the body.
    static let version1: ScriptedChallenge = {
        var challenge = ScriptedChallenge()
        challenge.version = "1"
        challenge.error = #""X-PAYMENT header is required""#
        challenge.resource = nil
        challenge.entries = [.version1]
        return challenge
    }()

    /// The JSON text.
    var json: String {
        let list = accepts ?? "[" + entries.map(\.json).joined(separator: ",") + "]"
        let members = [
            ("x402Version", version), ("error", error), ("resource", resource), ("accepts", list),
            ("extensions", extensions),
        ]
        return "{" + members.compactMap { name, text in text.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
    }

    /// The JSON text in standard base64.
    var base64: String { Base64.encode(Array(json.utf8)) }

    /// The field line that carries it.
    var line: String { "PAYMENT-REQUIRED: \(base64)" }

    /// A 402 with the challenge in its head.
    var answer: ScriptedAnswer { .http(402, [line] + lines, text: body) }

    /// A 402 with the challenge in its body alone, as version 1 has it.
    var bodyAnswer: ScriptedAnswer { .http(402, ["Content-Type: application/json"] + lines, text: json) }
}
