extension Misbehaviour {
    private static let length = "Content-Length: 100"

    /// The payment is taken and the answer fails: nobody knows then, and the same bytes are all that may be sent again.
    static let failuresBehindPayment: [Misbehaviour] = [
        .paid("paid-500") { _ in .http(500, text: #"{"error":"boom"}"#) },
        .paid("paid-500-settled") { visit in .http(500, [Receipt(visit).line], text: #"{"error":"boom"}"#) },
        .paid("paid-429-settled") { visit in .http(429, [Receipt(visit).line, "Retry-After: 0"]) },
        .paid("paid-404-settled") { visit in .http(404, [Receipt(visit).line]) },
        .paid("paid-truncated-once-then-served") { visit in
            visit.paidBefore == 0
                ? .raw("HTTP/1.1 200 OK\r\n\(Receipt(visit).line)\r\n\(length)\r\n\r\n{\"half\":", then: .close)
                : .served(visit)
        },
        .paid("paid-503-retry-after") { _ in .http(503, ["Retry-After: 0", "X-Should-Retry: true"]) },
        .paid("paid-429") { _ in .http(429, ["Retry-After: 0"]) },
        .paid("paid-409") { _ in .http(409) },
        .paid("paid-401") { _ in .http(401, ["WWW-Authenticate: Bearer"]) },
        .paid("paid-hang") { _ in .raw("", then: .hang) },
        .paid("paid-close-before-any-byte") { _ in .raw("", then: .close) },
        .paid("paid-reset-before-any-byte") { _ in .raw("", then: .reset) },
        .paid("paid-close-once-then-served") { visit in
            visit.paidBefore == 0 ? .raw("", then: .close) : .served(visit)
        },
        .paid("paid-close-in-headers") { _ in .raw("HTTP/1.1 200 OK\r\nContent-Le", then: .close) },
        .paid("paid-reset-in-headers") { _ in .raw("HTTP/1.1 200 OK\r\nContent-Le", then: .reset) },
        .paid("paid-hang-in-headers") { _ in .raw("HTTP/1.1 200 OK\r\nContent-Le", then: .hang) },
        .paid("paid-malformed-head") { _ in .raw("ICY 200 OK\r\n\r\n", then: .close) },
        .paid("paid-two-lengths") { _ in
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", then: .close)
        },
        .paid("paid-switching-protocols") { _ in
            .raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\nConnection: upgrade\r\n\r\n", then: .hang)
        },
        .paid("paid-interim-answers-then-served") { visit in
            var answer = ScriptedAnswer.served(visit)
            let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", count: 50)
            answer.bytes = Array(interim.utf8) + answer.bytes
            return answer
        },
        .paid("paid-headers-of-two-megabytes") { _ in
            .raw("HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 2 << 20) + "\r\n\r\n", then: .close)
        },
        .paid("paid-truncated-body") { visit in
            .raw("HTTP/1.1 200 OK\r\n\(Receipt(visit).line)\r\n\(length)\r\n\r\n{\"half\":", then: .close)
        },
        .paid("paid-truncated-body-no-receipt") { _ in
            .raw("HTTP/1.1 200 OK\r\n\(length)\r\n\r\n{\"half\":", then: .close)
        },
        .paid("paid-reset-in-body") { visit in
            .raw("HTTP/1.1 200 OK\r\n\(Receipt(visit).line)\r\n\(length)\r\n\r\n{\"half\":", then: .reset)
        },
        .paid("paid-hang-in-body") { visit in
            .raw("HTTP/1.1 200 OK\r\n\(Receipt(visit).line)\r\n\(length)\r\n\r\n{\"half\":", then: .hang)
        },
        Misbehaviour("paid-redirected-elsewhere") { visit in
            if visit.isElsewhere { return visit.isPaid ? .served(visit) : ScriptedChallenge().answer }
            return visit.isPaid ? .http(307, ["Location: \(visit.elsewhere)"]) : ScriptedChallenge().answer
        },
        .paid("paid-redirected-here") { visit in .http(307, ["Location: /evil/\(visit.name)"]) },
        .paid("paid-redirected-here-by-dots") { visit in .http(307, ["Location: ../evil/./x/../\(visit.name)"]) },
        .paid("paid-redirected-here-under-https") { visit in
            .http(307, ["Location: https://127.0.0.1:\(visit.place.home)/evil/\(visit.name)"])
        },
        .paid("paid-redirected-to-another-port") { _ in .http(307, ["Location: http://127.0.0.1:1/result"]) },
        .paid("paid-created-elsewhere") { visit in
            .http(201, [Receipt(visit).line, "Location: https://other.example/calls/1"], text: #"{"made":true}"#)
        },
        .paid("paid-created-here") { visit in
            .http(201, [Receipt(visit).line, "Location: /calls/1"], text: #"{"made":true}"#)
        },
    ]
}
