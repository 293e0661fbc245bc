import Primitives

extension Misbehaviour {
    /// A challenge whose base64 holds both characters that the url-safe alphabet writes differently.
    private static var marked: ScriptedChallenge {
        var challenge = ScriptedChallenge()
        challenge.resource = #"{"url":"http://127.0.0.1/evil","description":"????? >>>>> ÿÿÿ"}"#
        return challenge
    }

    private static func header(
        _ name: String, _ line: @escaping @Sendable (ScriptedChallenge) -> String
    ) -> Misbehaviour {
        .asking(name) { _ in .http(402, [line(marked)]) }
    }

    /// A challenge of version 1 in a body that is coded somehow.
    private static func coded(
        _ name: String, _ coding: String, _ code: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> Misbehaviour {
        .asking(name) { _ in
            .http(
                402, ["Content-Type: application/json", "Content-Encoding: \(coding)"],
                body: code(Array(ScriptedChallenge.version1.json.utf8)))
        }
    }

    /// Challenges in spellings that are met in the wild, or in none.
    static let encodings: [Misbehaviour] = [
        header("base64-url-safe") { challenge in
            let text = challenge.base64.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
            return "PAYMENT-REQUIRED: " + String(text)
        },
        header("base64-unpadded") { challenge in
            var challenge = challenge
            while !challenge.base64.hasSuffix("=") { challenge.error = challenge.error.map { " " + $0 } }
            return "PAYMENT-REQUIRED: " + challenge.base64.filter { $0 != "=" }
        },
        header("base64-between-blanks") { "PAYMENT-REQUIRED: \t  \($0.base64) \t " },
        header("base64-with-blanks-inside") { challenge in
            "PAYMENT-REQUIRED: \(challenge.base64.prefix(60)) \(challenge.base64.dropFirst(60))"
        },
        header("base64-twice") { "PAYMENT-REQUIRED: " + Base64.encode(Array($0.base64.utf8)) },
        .asking("base64-of-latin-1") { _ in
            var challenge = ScriptedChallenge()
            challenge.entries[0]["extra"] = #"{"name":"USDé","version":"1"}"#
            let latin1 = challenge.json.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            return .http(402, ["PAYMENT-REQUIRED: " + Base64.encode(latin1)])
        },
        header("header-raw-json") { "PAYMENT-REQUIRED: " + $0.json },
        header("header-under-its-alias") { "X-PAYMENT-REQUIRED: " + $0.base64 },
        header("header-in-mixed-case") { "pAyMeNt-ReQuIrEd: " + $0.base64 },
        header("header-twice-the-same") { $0.line + "\r\n" + $0.line },
        header("headers-that-differ") { challenge in
            var other = challenge
            other.entries[0]["payTo"] = quoted(ScriptedEntry.stranger)
            return challenge.line + "\r\n" + other.line
        },
        .asking("header-garbage-body-fine") { _ in
            .http(402, ["PAYMENT-REQUIRED: @@@@"], text: ScriptedChallenge.version1.json)
        },
        .asking("header-empty-body-fine") { _ in
            .http(402, ["PAYMENT-REQUIRED:"], text: ScriptedChallenge.version1.json)
        },
        .asking("header-flag-body-fine") { _ in
            .http(402, ["X-Payment-Required: true"], text: ScriptedChallenge.version1.json)
        },
        .asking("header-version-3-body-fine") { _ in
            var challenge = ScriptedChallenge()
            challenge.version = "3"
            return .http(402, [challenge.line], text: ScriptedChallenge.version1.json)
        },
        .asking("header-of-no-entries-body-fine") { _ in
            var challenge = ScriptedChallenge()
            challenge.accepts = "[]"
            return .http(402, [challenge.line], text: ScriptedChallenge.version1.json)
        },
        .asking("header-garbage-beside-a-challenge") { _ in
            .http(402, ["PAYMENT-REQUIRED: @@@@", ScriptedChallenge().line])
        },
        .asking("header-flag-alone") { _ in .http(402, ["X-Payment-Required: true"]) },
        .asking("headers-that-differ-body-fine") { _ in
            var other = ScriptedChallenge()
            other.entries[0]["payTo"] = quoted(ScriptedEntry.stranger)
            return .http(402, [ScriptedChallenge().line, other.line], text: ScriptedChallenge.version1.json)
        },
        .challenge("body-differs-from-header") { challenge in
            var other = ScriptedChallenge()
            other.entries[0]["amount"] = #""990000""#
            other.entries[0]["payTo"] = quoted(ScriptedEntry.stranger)
            challenge.body = other.json
        },
        .asking("body-compressed") { _ in
            .http(
                402, ["Content-Type: application/json", "Content-Encoding: gzip"],
                body: Gzip.pack(Array(ScriptedChallenge.version1.json.utf8)))
        },
        coded("body-compressed-twice", "gzip, GZIP") { Gzip.pack(Gzip.pack($0)) },
        coded("body-compressed-in-members", "gzip") {
            Gzip.pack(Array($0.prefix(99))) + Gzip.pack(Array($0.dropFirst(99)))
        },
        coded("body-deflated-without-its-frame", "deflate") { Array(Gzip.pack($0).dropFirst(10).dropLast(8)) },
        coded("body-of-an-empty-coding", "") { $0 },
        coded("body-behind-a-byte-order-mark", "identity") { [0xef, 0xbb, 0xbf] + $0 },
        coded("body-that-breaks-off", "identity") { Array($0.prefix($0.count / 2)) },
        .asking("body-compressed-by-an-unknown-coding") { _ in
            .http(
                402, ["Content-Type: application/json", "Content-Encoding: br"],
                body: Gzip.pack(Array(ScriptedChallenge.version1.json.utf8)))
        },
        .challenge("body-is-not-what-its-coding-says") { $0.lines = ["Content-Encoding: gzip"] },
    ]

    /// Version 1 in the clothes of version 2, the reverse, and neither.
    static let versions: [Misbehaviour] = [
        .challenge("version-1-entry-in-version-2") { challenge in challenge.entries = [.version1] },
        .asking("version-2-entry-in-version-1") { _ in
            var challenge = ScriptedChallenge.version1
            challenge.entries = [.usdt]
            return challenge.bodyAnswer
        },
        .challenge("both-versions-at-once") { $0.body = ScriptedChallenge.version1.json },
        .asking("version-2-in-the-body-only") { _ in ScriptedChallenge().bodyAnswer },
        .challenge("version-3") { $0.version = "3" },
        .challenge("version-0") { $0.version = "0" },
        .challenge("version-as-text") { $0.version = #""2""# },
        .challenge("version-as-float") { $0.version = "2.0" },
        .challenge("version-missing") { $0.version = nil },
        .asking("extra-as-text") { _ in
            var challenge = ScriptedChallenge.version1
            challenge.entries[0]["extra"] = #""{\"name\":\"USD₮0\",\"version\":\"1\"}""#
            return challenge.bodyAnswer
        },
        .asking("extra-as-broken-text") { _ in
            var challenge = ScriptedChallenge.version1
            challenge.entries[0]["extra"] = #""{name:""#
            return challenge.bodyAnswer
        },
        .entry("both-amounts-that-differ") { $0["maxAmountRequired"] = #""1""# },
    ]
}
