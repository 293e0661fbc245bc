extension Misbehaviour {
    /// The payment is answered with another challenge: a second bill is no reason to sign a second payment.
    static let secondChallenges: [Misbehaviour] = [
        .again("second-challenge-same") { _ in },
        .again("second-challenge-with-reason") { $0.error = #""insufficient_funds""# },
        .again("second-challenge-higher-price") { $0.entries[0]["amount"] = #""20000""# },
        .again("second-challenge-lower-price") { $0.entries[0]["amount"] = #""1""# },
        .again("second-challenge-other-payee") { $0.entries[0]["payTo"] = quoted(ScriptedEntry.stranger) },
        .again("second-challenge-other-asset") { challenge in
            challenge.entries[0]["asset"] = #""0xaf88d065e77c8cC2239327C5EDb3A432268e5831""#
            challenge.entries[0]["extra"] = #"{"name":"USD Coin","version":"2"}"#
        },
        .again("second-challenge-other-network") { challenge in
            challenge.entries[0]["network"] = #""eip155:8453""#
            challenge.entries[0]["asset"] = #""0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913""#
            challenge.entries[0]["extra"] = #"{"name":"USD Coin","version":"2"}"#
        },
        .again("second-challenge-other-decimals") { challenge in
            challenge.entries[0]["amount"] = #""10000000000000000""#
            challenge.entries[0]["extra"] = #"{"name":"USD₮0","version":"1","decimals":18}"#
        },
        .paid("second-challenge-version-1") { _ in ScriptedChallenge.version1.bodyAnswer },
        .paid("endless-challenges") { visit in
            var challenge = ScriptedChallenge()
            challenge.entries[0]["amount"] = quoted("\(10001 + visit.paidBefore)")
            challenge.resource = #"{"url":"http://127.0.0.1/evil/\#(visit.paidBefore)"}"#
            return challenge.answer
        },
        Misbehaviour("single-use-quote") { visit in
            var challenge = ScriptedChallenge()
            challenge.entries[0]["extra"] = #"{"name":"USD₮0","version":"1","quote":"q\#(visit.unpaidBefore)"}"#
            if visit.isPaid { challenge.error = #""quote_expired""# }
            return challenge.answer
        },
        .paid("settlement-failed") { visit in
            .http(402, [Receipt(failure: #""unexpected_settle_error""#, visit).line])
        },
        .paid("rejection-empty-unfunded") { visit in
            .http(
                402, [Receipt(failure: #""insufficient_funds""#, visit).line, "Content-Type: application/json"],
                text: "{}")
        },
        .paid("rejection-empty-without-reason") { _ in
            .http(402, ["Content-Type: application/json"], text: #"{"error":{"message":""},"data":null}"#)
        },
        .paid("rejection-cut-off") { _ in
            .raw("HTTP/1.1 402 Evil\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{", then: .close)
        },
        .paid("rejection-with-words") { _ in
            .http(
                402, ["Content-Type: application/json"],
                text: #"{"error":{"message":"The payment was not accepted.","code":"payment_failed"}}"#)
        },
        .paid("settlement-pending") { visit in
            var receipt = Receipt(failure: #""settlement_pending""#, visit)
            receipt.transaction = Receipt(visit).transaction
            return .http(402, [receipt.line])
        },
        .paid("allowance-missing-412") { _ in
            var challenge = ScriptedChallenge()
            challenge.error = #""permit2_allowance_required""#
            return .http(412, [challenge.line])
        },
    ]
}
