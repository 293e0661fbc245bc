import Ethereum

extension Misbehaviour {
    /// Entries that cannot be paid as they stand, and such as can although they look odd.
    static let entries: [Misbehaviour] = [
        .challenge("accepts-empty") { $0.accepts = "[]" },
        .challenge("accepts-an-object") { $0.accepts = ScriptedEntry.usdt.json },
        .challenge("accepts-texts") { $0.accepts = #"["exact","eip155:42161"]"# },
        .challenge("accepts-null") { $0.accepts = "null" },
        .challenge("first-entry-unusable") { challenge in
            challenge.entries = [.usdt, .usdt]
            challenge.entries[0]["network"] = #""solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp""#
            challenge.entries[0]["payTo"] = quoted(ScriptedEntry.stranger)
        },
        .challenge("first-entry-unreadable") { $0.accepts = "[null,7,\(ScriptedEntry.usdt.json)]" },
        .entry("network-unknown") { $0["network"] = #""eip155:31337""# },
        .entry("network-misspelt") { $0["network"] = #""EIP155:42161""# },
        .entry("network-as-number") { $0["network"] = "42161" },
        .entry("scheme-unknown") { $0["scheme"] = #""subscription""# },
        .entry("scheme-in-other-case") { $0["scheme"] = #""Exact""# },
        .entry("flow-unknown") { $0["extra"] = #"{"name":"USD₮0","version":"1","paymentFlow":"direct-debit"}"# },
        .entry("flow-upfront") { $0["extra"] = #"{"name":"USD₮0","version":"1","paymentFlow":"upfront"}"# },
        .challenge("flow-upfront-first-authorization-second") { challenge in
            challenge.entries = [.usdt, .usdt]
            challenge.entries[0]["extra"] = #"{"name":"USD₮0","version":"1","paymentFlow":"upfront"}"#
            challenge.entries[0]["amount"] = #""20000""#
        },
        .entry("asset-of-another-network") { entry in
            entry["asset"] = #""0xdAC17F958D2ee523a2206206994597C13D831ec7""#
        },
        .entry("asset-unknown") { $0["asset"] = quoted(ScriptedEntry.stranger) },
        .entry("asset-by-symbol") { $0["asset"] = #""USDT""# },
        .entry("asset-in-wrong-case") { $0["asset"] = #""0xFD086BC7cd5c481dcc9c85EBE478a1c0B69fcBB9""# },
        .entry("asset-without-prefix") { $0["asset"] = #""Fd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9""# },
        .entry("token-name-wrong") { $0["extra"] = #"{"name":"USDT","version":"1"}"# },
        .entry("token-name-look-alike") { $0["extra"] = #"{"name":"USDТ0","version":"1"}"# },
        .entry("token-version-wrong") { $0["extra"] = #"{"name":"USD₮0","version":"2"}"# },
        .entry("token-version-as-number") { $0["extra"] = #"{"name":"USD₮0","version":1}"# },
        .entry("token-version-as-float") { $0["extra"] = #"{"name":"USD₮0","version":1.0}"# },
        .entry("token-name-missing") { $0["extra"] = nil },
        .entry("extra-null") { $0["extra"] = "null" },
        .entry("decimals-lie") { $0["extra"] = #"{"name":"USD₮0","version":"1","decimals":18}"# },
        .entry("circle-gateway-as-exact") { entry in
            entry["maxTimeoutSeconds"] = "345600"
            entry["extra"] =
                #"{"name":"GatewayWalletBatched","version":"1","#
                + #""verifyingContract":"0x0077777d7EBA4688BDeF3E311b846F25870A19B9"}"#
        },
        .entry("another-verifying-contract") { entry in
            entry["extra"] =
                #"{"name":"USD₮0","version":"1","verifyingContract":"0x0077777d7EBA4688BDeF3E311b846F25870A19B9"}"#
        },
        .entry("unknown-members") { entry in
            entry["prepayId"] = #""p-1""#
            entry["pay_to"] = quoted(ScriptedEntry.stranger)
            entry["price"] = #""$5""#
        },
        .entry("unknown-member-twice") { $0.members += [("tag", "1"), ("tag", "2")] },
        .entry("unknown-member-nested-deeply") { entry in
            entry["outputSchema"] = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        },
        .entry("unknown-member-of-odd-texts") { entry in
            entry["description"] = #""half of a pair: \ud800""#
            entry["weight"] = "-1.5e99999"
        },
    ]

    /// Payees that nobody should pay.
    static let payees: [Misbehaviour] = [
        .entry("payee-zero") { $0["payTo"] = #""0x0000000000000000000000000000000000000000""# },
        .entry("payee-is-the-token") { $0["payTo"] = $0["asset"] },
        .asking("payee-is-the-payer") { visit in
            var challenge = ScriptedChallenge()
            if let payer = visit.payer { challenge.entries[0]["payTo"] = quoted(payer.checksummed) }
            return challenge.answer
        },
        .entry("payee-too-short") { $0["payTo"] = #""0x209693Bc6afc0C5328bA36FaF03C514EF312287""# },
        .entry("payee-too-long") { $0["payTo"] = #""0x209693Bc6afc0C5328bA36FaF03C514EF312287C00""# },
        .entry("payee-ens-name") { $0["payTo"] = #""merchant.eth""# },
        .entry("payee-of-solana") { $0["payTo"] = #""5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp5eykt4UsFv8P""# },
        .entry("payee-with-invisible-tail") { $0["payTo"] = quoted(ScriptedEntry.payee + "\u{200b}") },
        .entry("payee-in-wrong-case") { $0["payTo"] = quoted("0x" + ScriptedEntry.payee.dropFirst(2).uppercased()) },
        .entry("payee-missing") { $0["payTo"] = nil },
        .entry("payee-an-array") { $0["payTo"] = "[\(quoted(ScriptedEntry.payee))]" },
    ]
}
