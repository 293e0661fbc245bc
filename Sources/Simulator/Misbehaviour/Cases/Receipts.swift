import Primitives

extension Misbehaviour {
    private static func served(_ lines: [String]) -> ScriptedAnswer { .http(200, lines, text: #"{"served":true}"#) }

    /// The payment is served with a receipt that lies, or with none.
    static let receipts: [Misbehaviour] = [
        .paid("receipt-missing") { _ in served([]) },
        .paid("receipt-unparsable") { _ in served(["PAYMENT-RESPONSE: !!!not base64!!!"]) },
        .paid("receipt-of-another-shape") { _ in served([#"PAYMENT-RESPONSE: {"receiptId":"1","nonce":"2"}"#]) },
        .paid("receipt-raw-json") { visit in served(["PAYMENT-RESPONSE: " + Receipt(visit).json]) },
        .paid("receipt-under-its-old-name") { visit in served(["X-" + Receipt(visit).line]) },
        .paid("receipts-that-differ") { visit in
            served([Receipt(visit).line, Receipt(failure: #""insufficient_funds""#, visit).line])
        },
        .paid("receipt-of-twenty-kilobytes") { visit in
            var receipt = Receipt(visit)
            receipt.transaction = quoted(String(repeating: "a", count: 20_000))
            return served([receipt.line])
        },
        .paid("receipt-with-success-twice") { _ in
            let json = #"{"success":false,"success":true,"transaction":"0xab","network":"eip155:42161"}"#
            return served(["PAYMENT-RESPONSE: " + Base64.encode(Array(json.utf8))])
        },
        .receipt("receipt-success-as-text") { $0.success = #""true""# },
        .receipt("receipt-success-null") { $0.success = "null" },
        .receipt("receipt-transaction-null") { $0.transaction = "null" },
        .receipt("receipt-transaction-empty") { $0.transaction = #""""# },
        .receipt("receipt-transaction-missing") { $0.transaction = nil },
        .receipt("receipt-tx-hash") { ($0.transaction, $0.txHash) = (nil, $0.transaction) },
        .receipt("receipt-tx-id") { ($0.transaction, $0.txID) = ("null", $0.transaction) },
        .receipt("receipt-of-another-network") { $0.network = #""eip155:1""# },
        .receipt("receipt-of-another-payer") { $0.payer = quoted(ScriptedEntry.stranger) },
        .receipt("receipt-amount-above-signed") { $0.amount = #""999999999""# },
        .receipt("receipt-amount-below-signed") { $0.amount = #""1""# },
        .receipt("receipt-amount-negative") { $0.amount = #""-10000""# },
        .receipt("receipt-success-with-500", status: 500) { _ in },
        .receipt("receipt-success-with-402", status: 402) { _ in },
        .paid("receipt-failure-with-200") { visit in
            served([Receipt(failure: #""insufficient_funds""#, visit).line])
        },
        .paid("receipt-pending-with-200") { visit in
            served([Receipt(failure: #""settlement_pending""#, visit).line])
        },
    ]
}
