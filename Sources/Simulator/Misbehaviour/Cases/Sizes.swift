extension Misbehaviour {
    /// Half a megabyte of blanks and a challenge, packed once.
    private static let bomb = Gzip.pack(Array(ScriptedChallenge.version1.json.utf8), count: 1 << 19)

    private static let nineKilobytes = String(repeating: "y", count: 9 << 10)

    /// Challenges that are larger or deeper than any honest one.
    static let sizes: [Misbehaviour] = [
        .asking("ten-thousand-entries") { _ in
            var challenge = ScriptedChallenge()
            challenge.accepts = "[" + Array(repeating: "{}", count: 10_000).joined(separator: ",") + "]"
            return challenge.answer
        },
        .asking("ten-thousand-payable-entries") { _ in
            var challenge = ScriptedChallenge.version1
            let entry = ScriptedEntry.version1.json
            challenge.accepts = "[" + Array(repeating: entry, count: 10_000).joined(separator: ",") + "]"
            return challenge.bodyAnswer
        },
        .challenge("headers-of-two-megabytes") { $0.lines = ["X-Filler: " + String(repeating: "a", count: 2 << 20)] },
        .challenge("three-hundred-headers") { $0.lines = (0..<300).map { "X-Filler-\($0): a" } },
        .entry("deep-json") { entry in
            entry["extra"] = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        },
        .asking("body-of-three-megabytes") { _ in .http(402, body: Array(repeating: 0x20, count: 3 << 20)) },
        .asking("gzip-bomb") { _ in
            .http(
                402, ["Content-Type: application/json", "Content-Encoding: gzip"],
                body: bomb)
        },
        .asking("gzip-bomb-beside-a-challenge") { _ in
            .http(
                402, [ScriptedChallenge().line, "Content-Encoding: gzip"],
                body: bomb)
        },
        .challenge("extensions-of-forty-kilobytes") { challenge in
            challenge.extensions = #"{"bazaar":{"info":{"text":"\#(String(repeating: "a", count: 40_000))"}}}"#
        },
        .challenge("resource-of-nine-kilobytes") { challenge in
            challenge.resource = #"{"url":"http://127.0.0.1/evil","description":"\#(nineKilobytes)"}"#
        },
        .entry("output-schema-of-nine-kilobytes") { $0["outputSchema"] = quoted(nineKilobytes) },
        .challenge("output-schema-of-nine-kilobytes-first") { challenge in
            challenge.entries = [.usdt, .usdt]
            challenge.entries[0]["outputSchema"] = quoted(nineKilobytes)
        },
        .challenge("required-extension-of-nine-kilobytes") { challenge in
            challenge.extensions = #"{"x-contract":{"info":{"required":true,"text":"\#(nineKilobytes)"}}}"#
        },
        .entry("duplicate-amount") { $0.members.append(("amount", #""990000""#)) },
        .entry("duplicate-amount-cheap-last") { entry in
            entry["amount"] = #""990000""#
            entry.members.append(("amount", #""10000""#))
        },
        .entry("duplicate-payee") { $0.members.append(("payTo", quoted(ScriptedEntry.stranger))) },
        .entry("duplicate-payee-by-escape") { $0.members.append((#"\u0070ayTo"#, quoted(ScriptedEntry.stranger))) },
        .entry("duplicate-amount-in-other-case") { $0.members.append(("Amount", #""990000""#)) },
        .entry("duplicate-payee-in-other-case") { $0.members.append(("payto", quoted(ScriptedEntry.stranger))) },
        .asking("duplicate-amount-in-one-of-two-entries") { _ in
            var odd = ScriptedEntry.usdt
            odd.members.append(("amount", #""1""#))
            var challenge = ScriptedChallenge()
            challenge.accepts = "[\(odd.json),\(ScriptedEntry.usdt.json)]"
            return challenge.answer
        },
        .asking("lone-surrogate-in-one-of-two-entries") { _ in
            var odd = ScriptedEntry.usdt
            odd["payTo"] = #""\ud800""#
            var challenge = ScriptedChallenge()
            challenge.accepts = "[\(odd.json),\(ScriptedEntry.usdt.json)]"
            return challenge.answer
        },
        .challenge("duplicate-error") { $0.error = #""one","error":"two""# },
        .challenge("duplicate-resource") {
            $0.resource = #"{"url":"http://127.0.0.1/a"},"resource":{"url":"http://127.0.0.1/b"}"#
        },
        .challenge("duplicate-extensions") {
            $0.extensions = #"{"x-odd":{"info":{}}},"extensions":{"x-odd":{"info":{"a":1}}}"#
        },
        .asking("duplicate-accepts") { _ in
            var challenge = ScriptedChallenge()
            challenge.accepts = #"[],"accepts":[\#(ScriptedEntry.usdt.json)]"#
            return challenge.answer
        },
    ]
}
