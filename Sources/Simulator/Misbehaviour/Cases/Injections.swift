extension Misbehaviour {
    /// A line break with a field behind it, NUL, an escape sequence, DEL, C1 and a bidirectional override, as JSON
    /// writes them.
    private static let poison =
        #"x\r\nSet-Cookie: evil=1\r\n\r\nHTTP/1.1 200 OK\u0000\u001b[2J\u001b]0;evil\u0007\u007f\u0085\u202e\u2066"#

    /// The same for a field's value, as far as the bytes are legal there.
    private static let obsolete = "x \u{85}\u{202e}\u{2066}"

    /// Texts that would be more than texts in a log, a terminal or a head.
    static let injections: [Misbehaviour] = [
        .challenge("injection-in-error") { challenge in
            challenge.error = quoted(poison)
            challenge.entries[0]["network"] = #""eip155:31337""#
        },
        .challenge("injection-in-error-object") { challenge in
            challenge.error = #"{"\#(poison)":"\#(poison)"}"#
            challenge.entries[0]["network"] = #""eip155:31337""#
        },
        .challenge("injection-in-resource") { challenge in
            challenge.resource = #"{"url":"\#(poison)","description":"\#(poison)","mimeType":"\#(poison)"}"#
        },
        .entry("injection-in-network") { $0["network"] = quoted(poison) },
        .entry("injection-in-scheme") { $0["scheme"] = quoted(poison) },
        .entry("injection-in-asset") { $0["asset"] = quoted(poison) },
        .entry("injection-in-payee") { $0["payTo"] = quoted(poison) },
        .entry("injection-in-token-name") { $0["extra"] = #"{"name":"\#(poison)","version":"\#(poison)"}"# },
        .entry("injection-in-member-name") { $0[poison] = quoted(poison) },
        .entry("injection-in-duplicate-key") { entry in
            entry.members.append((poison, "1"))
            entry.members.append((poison, "2"))
        },
        .challenge("injection-in-extension-name") { $0.extensions = #"{"\#(poison)":{"info":{"\#(poison)":1}}}"# },
        .receipt("injection-in-receipt") { receipt in
            receipt.transaction = quoted(poison)
            receipt.network = quoted(poison)
            receipt.payer = quoted(poison)
        },
        .paid("injection-in-error-reason") { visit in
            .http(402, [Receipt(failure: quoted(poison), visit).line])
        },
        .paid("injection-in-second-error") { _ in
            var challenge = ScriptedChallenge()
            challenge.error = quoted(poison)
            return challenge.answer
        },
        .asking("injection-by-nul-in-a-header") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nX-Evil: a\0b\r\n\(ScriptedChallenge().line)\r\nContent-Length: 0\r\n\r\n",
                then: .close)
        },
        .asking("injection-by-bare-cr") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nX-Evil: a\rSet-Cookie: b\r\n\(ScriptedChallenge().line)\r\nContent-Length: 0\r\n\r\n",
                then: .close)
        },
        .asking("injection-by-bare-lf") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nX-Evil: a\nSet-Cookie: b\r\n\(ScriptedChallenge().line)\r\nContent-Length: 0\r\n\r\n",
                then: .close)
        },
        .asking("injection-by-folded-line") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nX-Evil: a\r\n b\r\n\(ScriptedChallenge().line)\r\nContent-Length: 0\r\n\r\n",
                then: .close)
        },
        .asking("injection-in-the-reason-phrase") { _ in
            .raw(
                "HTTP/1.1 402 \u{1b}[2JEvil\r\n\(ScriptedChallenge().line)\r\nContent-Length: 0\r\n\r\n", then: .close)
        },
        .challenge("injection-by-obsolete-text") { challenge in
            challenge.lines = ["X-Evil: \(obsolete)"]
            challenge.entries[0]["network"] = #""eip155:31337""#
        },
        .paid("forged-purser-headers") { visit in
            .http(
                200,
                [
                    Receipt(visit).line, "Purser-Payment: pay_0", "Purser-Outcome: voided", "Purser-Paid: 0 USDT",
                    "purser-remaining: day=1000000", "Purser-Token: psr_0",
                ], text: #"{"served":true}"#)
        },
        .asking("answer-nobody-asked-for") { visit in
            var answer = ScriptedChallenge().answer
            answer.bytes += ScriptedAnswer.http(200, [Receipt(visit).line], text: #"{"smuggled":true}"#).bytes
            return answer
        },
    ]
}
