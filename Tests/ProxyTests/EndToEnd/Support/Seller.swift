import Ethereum
import Policy
import Primitives
import Testing
import X402

/// What a seller says and checks.
enum Seller {
    static let asset = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
    static let payee = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"

    /// One entry of `accepts` for USDT on Arbitrum.
    static func entry(amount: String = "10000", asset: String = asset) -> String {
        #"{"scheme":"exact","network":"eip155:42161","amount":"\#(amount)","asset":"\#(asset)","payTo":"\#(payee)","#
            + #""maxTimeoutSeconds":60,"extra":{"name":"USD₮0","version":"1"}}"#
    }

    /// The PAYMENT-REQUIRED line.
    static func challenge(
        _ entry: String = entry(), error: String = "PAYMENT-SIGNATURE header is required"
    ) -> String {
        let json =
            #"{"x402Version":2,"error":"\#(error)","resource":{"url":"http://seller/x"},"#
            + #""accepts":[\#(entry)]}"#
        return "PAYMENT-REQUIRED: " + Base64.encode(Array(json.utf8))
    }

    /// A version 1 body.
    static let bodyV1 =
        #"{"x402Version":1,"error":"X-PAYMENT header is required","accepts":[{"scheme":"exact","network":"arbitrum","#
        + #""maxAmountRequired":"10000","resource":"http://seller/x","description":"","mimeType":"","#
        + #""asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","payTo":"\#(payee)","maxTimeoutSeconds":60,"#
        + #""extra":{"name":"USD₮0","version":"1"}}]}"#

    static let unpaid = Respond.with(402, [challenge()], body: "{}")

    /// The PAYMENT-RESPONSE line.
    static func report(success: Bool = true, reason: String? = nil) -> String {
        let extra = reason.map { #","errorReason":"\#($0)""# } ?? ""
        let json = #"{"success":\#(success),"transaction":"0xabc","network":"eip155:42161","payer":"0x0"\#(extra)}"#
        return "PAYMENT-RESPONSE: " + Base64.encode(Array(json.utf8))
    }

    /// Whether a request carries a payment.
    static func isPaid(_ request: Message) -> Bool {
        !request["payment-signature"].isEmpty || !request["x-payment"].isEmpty
    }

    /// A 402 for requests without payment, and a fixed answer for the others.
    static func serving(_ answer: String) throws -> ScriptedUpstream {
        try .serving { isPaid($0) ? answer : unpaid }
    }

    /// A 402 for requests without payment; for the others an answer by their number from 0, or none for nil.
    static func paidInTurn(_ answer: @escaping @Sendable (Int) -> String?) throws -> ScriptedUpstream {
        let count = Progress()
        return try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard isPaid(request) else {
                    try wire.send(unpaid)
                    continue
                }
                if let answer = answer(count.next()) { try wire.send(answer) }
            }
        }
    }

    /// The payments an upstream has got, by connection and in order.
    static func payments(at upstream: ScriptedUpstream) throws -> [String] {
        try upstream.received.flatMap { try Requests($0).all }.filter(isPaid)
            .map { $0["payment-signature"].joined() }
    }

    /// The JSON inside the one payment header of a request.
    static func payload(of request: Message, field: String = "payment-signature") throws -> JSONValue {
        let values = request[field]
        try #require(values.count == 1)
        let json = Base64.decodeLenient(Array(values[0].utf8))
        return try JSONReader.read(try #require(json))
    }

    /// Who signed a payload.
    static func signer(of payload: JSONValue) throws -> Address? {
        let inner = try #require(payload["payload"])
        let authorization = try #require(inner["authorization"])
        func text(_ name: String) throws -> String { try #require(authorization[name]?.string) }
        func address(_ name: String) throws -> Address {
            let hex = try text(name)
            return try #require(Address(hex: hex))
        }
        func seconds(_ name: String) throws -> UInt64 {
            let digits = try text(name)
            return try #require(UInt64(digits))
        }
        let nonce = Hex.decode(try text("nonce").dropFirst(2)).flatMap { Bytes32($0) }
        let transfer = TransferWithAuthorization(
            from: try address("from"), to: try address("to"), value: try UInt256(decimal: try text("value")),
            validAfter: try seconds("validAfter"), validBefore: try seconds("validBefore"), nonce: try #require(nonce))
        let bytes = inner["signature"]?.string.flatMap { Hex.decode($0.dropFirst(2)) }
        let signature = try #require(bytes.flatMap { Signature(bytes: $0) })
        let token = try #require(Address(hex: asset))
        let row = try Lab.table.get().asset(network: "eip155:42161", address: token)
        let separator = try #require(row?.domainSeparator)
        return try Lab.secp.get().recover(digest: transfer.digest(domainSeparator: separator), signature: signature)
    }
}
