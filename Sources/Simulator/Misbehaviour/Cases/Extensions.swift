extension Misbehaviour {
    /// A statement that the wallet is asked to sign; nil stands for what is true of the merchant.
    private static func signIn(
        _ visit: Visit, domain: String? = nil, uri: String? = nil, statement: String = "Prove that you own this account"
    ) -> String {
        let domain = domain ?? "127.0.0.1:\(visit.place.home)"
        let uri = uri ?? "http://127.0.0.1:\(visit.place.home)/evil/\(visit.name)"
        return #"{"sign-in-with-x":{"info":{"domain":"\#(domain)","uri":"\#(uri)","version":"1","#
            + #""nonce":"00112233445566778899aabbccddeeff","issuedAt":"\#(visit.now)","#
            + #""statement":"\#(statement)"},"#
            + #""supportedChains":[{"chainId":"eip155:42161","type":"eip191"}],"schema":{}}}"#
    }

    /// The first purchase is honest, as a wallet signs in only where it has paid; the second asks for a statement too.
    private static func signInAgain(
        _ name: String, _ statement: @escaping @Sendable (Visit) -> String
    ) -> Misbehaviour {
        .asking("sign-in-again-\(name)") { visit in
            var challenge = ScriptedChallenge()
            challenge.extensions = visit.paidBefore == 0 ? signIn(visit) : statement(visit)
            return challenge.answer
        }
    }

    private static func offer(payTo: String, amount: String) -> String {
        #"{"offer-receipt":{"info":{"offers":[{"format":"eip712","payload":{"version":1,"#
            + #""resourceUrl":"http://127.0.0.1/evil","scheme":"exact","network":"eip155:42161","#
            + #""asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","payTo":"\#(payTo)","amount":"\#(amount)"},"#
            + #""signature":"0x00"}]},"schema":{}}}"#
    }

    private static func deep(_ levels: Int) -> String {
        String(repeating: #"{"x":"#, count: levels) + "1" + String(repeating: "}", count: levels)
    }

    /// Extensions that ask for more than a payment.
    static let extensions: [Misbehaviour] = [
        .asking("sign-in-for-another-domain") { visit in
            var challenge = ScriptedChallenge()
            challenge.extensions = signIn(visit, domain: "bank.example", uri: "https://bank.example/login")
            return challenge.answer
        },
        .asking("sign-in-for-another-domain-only") { visit in
            var challenge = ScriptedChallenge()
            challenge.extensions = signIn(visit, domain: "bank.example", uri: "https://bank.example/login")
            challenge.accepts = "[]"
            return challenge.answer
        },
        signInAgain("for-this-origin") { signIn($0) },
        signInAgain("for-another-domain") { signIn($0, domain: "bank.example", uri: "https://bank.example/login") },
        signInAgain("for-a-longer-domain") { signIn($0, domain: "127.0.0.1:\($0.place.home).bank.example") },
        signInAgain("for-another-port") { signIn($0, domain: "127.0.0.1:\($0.place.elsewhere)", uri: $0.elsewhere) },
        signInAgain("at-another-uri") { signIn($0, uri: "https://bank.example/login") },
        signInAgain("at-a-uri-with-a-user") { visit in
            signIn(visit, uri: "http://127.0.0.1:\(visit.place.home)@bank.example/login")
        },
        signInAgain("with-forged-lines") { visit in
            signIn(visit, statement: #"yes\n\nURI: https://bank.example/login\nVersion: 1\nChain ID: 1"#)
        },
        .challenge("offer-that-does-not-match") { challenge in
            challenge.extensions = offer(payTo: ScriptedEntry.stranger, amount: "1")
        },
        .challenge("identifier-required") { challenge in
            challenge.extensions = #"{"payment-identifier":{"info":{"required":true},"schema":{}}}"#
        },
        .challenge("gas-sponsoring-offered") { challenge in
            challenge.extensions =
                #"{"erc20ApprovalGasSponsoring":{"info":{"description":"we approve for you","version":"1"},"schema":{}}}"#
        },
        .challenge("unknown-extension") { $0.extensions = #"{"x-tracker":{"info":{"cookie":"1"},"schema":{}}}"# },
        .challenge("extension-with-a-deep-schema") {
            $0.extensions = #"{"x-deep":{"info":{},"schema":\#(deep(2000))}}"#
        },
        .challenge("identifier-with-a-deep-schema") { challenge in
            challenge.extensions = #"{"payment-identifier":{"info":{"required":true},"schema":\#(deep(200))}}"#
        },
        .challenge("extension-with-duplicate-keys") { $0.extensions = #"{"x-odd":{"info":{"a":1,"a":2}}}"# },
        .challenge("unknown-extension-twice") { $0.extensions = #"{"x-odd":{"info":{}},"x-odd":{"info":{"a":1}}}"# },
        .challenge("identifier-twice") { challenge in
            challenge.extensions =
                #"{"payment-identifier":{"info":{}},"payment-identifier":{"info":{"required":true}}}"#
        },
        .challenge("extensions-an-array") { $0.extensions = #"["payment-identifier"]"# },
    ]
}
