extension Misbehaviour {
    private static let facilitator = #""facilitatorAddress":"0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70""#
    private static let unknown = "0x701cCFfc00000000000000000000000000000001"

    private static func permit2(_ name: String, _ extra: String) -> Misbehaviour {
        .challenge(name) { challenge in
            challenge.entries = [.permit2]
            challenge.entries[0]["extra"] = #"{"assetTransferMethod":"permit2"\#(extra)}"#
        }
    }

    private static func upto(_ name: String, _ extra: String) -> Misbehaviour {
        .challenge(name) { challenge in
            challenge.entries = [.permit2]
            challenge.entries[0]["scheme"] = #""upto""#
            challenge.entries[0]["extra"] = "{\(extra)}"
        }
    }

    private static func uptoReceipt(
        _ name: String, _ spoil: @escaping @Sendable (inout Receipt) -> Void
    ) -> Misbehaviour {
        let honest = upto(name, facilitator)
        return Misbehaviour(name) { visit in
            guard visit.isPaid else { return honest.script(visit) }
            var receipt = Receipt(visit)
            receipt.network = #""eip155:56""#
            spoil(&receipt)
            return .http(200, [receipt.line], text: #"{"served":true}"#)
        }
    }

    /// Signatures over Permit2, which move whatever the payer once allowed it.
    static let permit2: [Misbehaviour] = [
        permit2("permit2-by-the-proxy", ""),
        permit2("permit2-by-the-proxy-named", #","spender":"0x402085c248EeA27D92E8b30b2C58ed07f9E20001""#),
        permit2("permit2-unknown-spender", #","spender":"\#(unknown)""#),
        permit2("permit2-unknown-permit2-spender", #","permit2Spender":"\#(unknown)""#),
        permit2("permit2-unknown-spender-address", #","spenderAddress":"\#(unknown)""#),
        permit2(
            "permit2-spenders-that-differ",
            #","spender":"0x402085c248EeA27D92E8b30b2C58ed07f9E20001","permit2Spender":"\#(unknown)""#),
        permit2("permit2-dictated-nonce-zero", #","nonce":"0""#),
        permit2("permit2-dictated-deadline", #","deadline":"4102444800""#),
        .asking("permit2-in-version-1") { _ in
            var challenge = ScriptedChallenge.version1
            challenge.entries[0]["network"] = #""bsc""#
            challenge.entries[0]["asset"] = ScriptedEntry.permit2["asset"]
            challenge.entries[0]["maxAmountRequired"] = ScriptedEntry.permit2["amount"]
            challenge.entries[0]["extra"] = #"{"assetTransferMethod":"permit2"}"#
            return challenge.bodyAnswer
        },
        .challenge("eip3009-for-a-token-without-it") { challenge in
            challenge.entries = [.permit2]
            challenge.entries[0]["extra"] = #"{"name":"Tether USD","version":"1"}"#
        },
        .entry("transfer-method-unknown") { entry in
            entry["extra"] = #"{"name":"USD₮0","version":"1","assetTransferMethod":"erc7710"}"#
        },
        upto("upto-by-a-facilitator", facilitator),
        uptoReceipt("upto-settled-for-nothing") { receipt in
            receipt.amount = #""0""#
            receipt.transaction = #""""#
        },
        uptoReceipt("upto-settled-below-the-maximum") { $0.amount = #""1""# },
        uptoReceipt("upto-settled-above-the-maximum") { $0.amount = #""20000000000000000""# },
        uptoReceipt("upto-settled-without-an-amount") { $0.amount = nil },
        upto("upto-without-facilitator", #""assetTransferMethod":"permit2""#),
        upto("upto-facilitator-zero", #""facilitatorAddress":"0x0000000000000000000000000000000000000000""#),
        upto("upto-dictated-nonce", #"\#(facilitator),"nonce":"0""#),
        upto("upto-unknown-spender", #"\#(facilitator),"spender":"\#(unknown)""#),
    ]
}
