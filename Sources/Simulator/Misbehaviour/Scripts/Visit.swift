import Ethereum
import Primitives

/// One request of a case, as its script sees it.
struct Visit: Sendable {
    /// The case's name.
    let name: String
    /// Whether a payment came with it.
    let isPaid: Bool
    /// Whether it came to the second origin.
    let isElsewhere: Bool
    /// Requests of the case without a payment that came before.
    let unpaidBefore: Int
    /// Requests of the case with a payment that came before.
    let paidBefore: Int
    /// The payer's address, once an authorization has told it.
    let payer: Address?
    /// Where the merchant listens.
    let place: MerchantPlace
    /// The merchant's time.
    let now: Timestamp

    /// The case's URL at the second origin.
    var elsewhere: String { "http://127.0.0.1:\(place.elsewhere)/evil/\(name)" }
}

/// A settlement report, true unless a case spoils it; each member is JSON text.
struct Receipt: Sendable {
    /// Whether the money moved.
    var success: String? = "true"
    /// The transaction.
    var transaction: String? = "\"0x" + String(repeating: "ab", count: 32) + "\""
    /// The transaction under names that some sellers give it.
    var txHash: String?
    var txID: String?
    /// The network.
    var network: String? = "\"eip155:42161\""
    /// The payer.
    var payer: String?
    /// The amount that is said to have moved.
    var amount: String?
    /// The reason of a failure.
    var errorReason: String?

    /// The report that an honest merchant gives.
    init(_ visit: Visit) {
        payer = visit.payer.map { "\"\($0.checksummed)\"" }
    }

    /// The report of a failure.
    init(failure reason: String, _ visit: Visit) {
        self.init(visit)
        success = "false"
        transaction = "\"\""
        errorReason = reason
    }

    /// The JSON text.
    var json: String {
        let members = [
            ("success", success), ("transaction", transaction), ("txHash", txHash), ("txId", txID),
            ("network", network), ("payer", payer),
            ("amount", amount), ("errorReason", errorReason),
        ]
        return "{" + members.compactMap { name, text in text.map { "\"\(name)\":\($0)" } }.joined(separator: ",") + "}"
    }

    /// The field line that carries it.
    var line: String { "PAYMENT-RESPONSE: " + Base64.encode(Array(json.utf8)) }
}
