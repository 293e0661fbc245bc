package import Primitives

/// What a seller says about settlement: a decoded SettleResponse.
///
/// A claim, never proof.
///
/// Source: x402 core specification, SettlementResponse; headers PAYMENT-RESPONSE and X-PAYMENT-RESPONSE.
package struct SettlementReport: Sendable, Equatable {
    /// The decoded JSON text.
    package let raw: [UInt8]
    /// Whether the seller says that the money moved.
    package let success: Bool
    /// The transaction it names, in `transaction` or as some sellers have it in `txHash` or `txId`, at most 256 printable
    /// characters; nil when there is none.
    package let transaction: String?
    /// The network it names.
    package let network: String?
    /// The amount it says was moved, when it says one.
    package let amount: UInt256?
    /// The reason code of a failure, at most 128 printable characters.
    package let errorReason: String?

    private static let outline = JSONOutline.members(
        ["success", "transaction", "txHash", "txId", "network", "amount", "errorReason"].map { ($0, .scalar) })

    /// The longest decoded report that is read.
    package static let maximumBytes = 8 * 1024

    /// Whether the failure is not final: the seller has sent a transaction and waits.
    package var isPending: Bool { !success && errorReason == "settlement_pending" }

    /// Reads a header value; nil when it is not a report (which then proves nothing either way).
    package static func read(header: [UInt8]) -> SettlementReport? {
        guard let text = HeaderText.decode(header, limit: maximumBytes),
            let root = try? JSONReader.read(text, outline: outline), let success = root["success"]?.bool
        else { return nil }
        let names = ["transaction", "txHash", "txId"]
        let transaction = names.lazy.compactMap { root[$0]?.string }.first { !$0.isEmpty }
        return SettlementReport(
            raw: text,
            success: success,
            transaction: transaction?.printable(limit: 256),
            network: root["network"]?.string?.printable(limit: 128),
            amount: root["amount"]?.string.flatMap { try? UInt256(decimal: $0) },
            errorReason: root["errorReason"]?.string?.printable(limit: 128))
    }
}
