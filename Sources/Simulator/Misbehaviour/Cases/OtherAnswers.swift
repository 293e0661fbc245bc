extension Misbehaviour {
    /// What is no challenge of this protocol, and what is one in the wrong place.
    static let otherAnswers: [Misbehaviour] = [
        .asking("mpp-only") { _ in
            .http(402, [#"WWW-Authenticate: Payment realm="evil", method="tempo", intent="charge", request="e30""#])
        },
        .asking("lightning-only") { _ in
            .http(402, [#"WWW-Authenticate: L402 macaroon="AGIAJEemVQUTEyNCR0exk7ek90Cg==", invoice="lnbc1""#])
        },
        .asking("html-paywall") { _ in
            .http(402, ["Content-Type: text/html"], text: "<html><body>Connect your wallet</body></html>")
        },
        .asking("balance-too-low") { _ in
            .http(402, ["Content-Type: application/json"], text: #"{"code":402,"msg":"insufficient balance"}"#)
        },
        .asking("challenge-with-200") { _ in .http(200, [ScriptedChallenge().line], text: "free") },
        .asking("challenge-with-401") { _ in .http(401, [ScriptedChallenge().line]) },
        .asking("challenge-with-403") { _ in .http(403, [ScriptedChallenge().line]) },
        .asking("challenge-with-500") { _ in .http(500, [ScriptedChallenge().line]) },
        .challenge("challenge-for-head") { _ in },
        .challenge("challenge-for-options") { _ in },
        .asking("challenge-with-a-hanging-body") { _ in
            .raw("HTTP/1.1 402 Evil\r\n\(ScriptedChallenge().line)\r\nContent-Length: 100\r\n\r\n{", then: .hang)
        },
        .asking("challenge-with-a-cut-body") { _ in
            .raw("HTTP/1.1 402 Evil\r\n\(ScriptedChallenge().line)\r\nContent-Length: 100\r\n\r\n{", then: .close)
        },
        .asking("challenge-with-a-malformed-body") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\n\(ScriptedChallenge().line)\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                then: .close)
        },
        .asking("header-garbage-body-cut-off") { _ in
            .raw("HTTP/1.1 402 Evil\r\nPAYMENT-REQUIRED: true\r\nContent-Length: 100\r\n\r\n{", then: .close)
        },
        .asking("plain-402-cut-off-in-the-body") { _ in
            .raw("HTTP/1.1 402 Evil\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\npay", then: .close)
        },
        .asking("challenge-cut-off-in-the-body") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
                    + ScriptedChallenge.version1.json, then: .close)
        },
        .asking("challenge-hanging-in-the-body") { _ in
            .raw(
                "HTTP/1.1 402 Evil\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
                    + ScriptedChallenge.version1.json, then: .hang)
        },
        .asking("unpaid-hang") { _ in .raw("", then: .hang) },
        .asking("unpaid-reset") { _ in .raw("", then: .reset) },
        Misbehaviour("redirected-elsewhere") { visit in
            if visit.isElsewhere { return visit.isPaid ? .served(visit) : ScriptedChallenge().answer }
            return .http(307, ["Location: \(visit.elsewhere)"])
        },
    ]
}
