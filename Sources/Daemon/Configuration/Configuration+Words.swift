import Chain
import Ethereum
import Ledger
import Logging
import NIOCore
import Payments
import Policy
package import Primitives
import Proxy
import Transport
import X402

/// Settings in the configuration's own words, for whoever shows them.
extension Configuration.GatewayEntry {
    /// The upstream host, lower case, without a port.
    package var host: String { origin.host }
    /// `x402` or `prepaid`.
    package var billingWord: String { billing.rawValue }
    /// `asked`, `always` or `never`.
    package var learnedPriceWord: String { learnedPrice.rawValue }
    /// The longest time for which a payment is signed, in seconds.
    package var longestWindow: Int64 { policy.gate.maxValidity }
    /// What one payment may cost at most, in dollars.
    package var largestPayment: Dollars { policy.gate.maxPayment }
    /// The only payees, EIP-55, sorted; empty for any.
    package var payees: [String] { policy.gate.payees.map(\.checksummed).sorted() }
    /// `alert`, `ask` or `refuse`.
    package var newPayeeWord: String { policy.gate.newPayee.rawValue }
    /// `alert`, `ask` or `refuse`, with the factor.
    package var higherPriceWord: String { "\(policy.gate.higherPrice.rawValue) above \(policy.gate.priceRise)x" }
    /// Vendors' variants that are on.
    package var profileWords: [String] { policy.gate.profiles.map(\.rawValue).sorted() }
    /// Permit2 spenders that those may name, EIP-55.
    package var spenders: [String] { policy.gate.spenders.map(\.checksummed).sorted() }
    /// Whether the seller's word frees what an `upto` payment did not use.
    package var trustsPartial: Bool { policy.trustsPartial }
    /// Whether an entry that is too long to be echoed whole is echoed in part.
    package var trimsEntry: Bool { policy.gate.trimsEntry }
    /// Whether wallets sign in where they bought before.
    package var signsIn: Bool { policy.signsIn }
    /// How often an agent may sign in within an hour.
    package var signInsPerHour: Int { policy.signInsPerHour }
    /// Who may sign its offers and receipts besides the payee: addresses in EIP-55, then DIDs.
    package var signers: [String] {
        policy.signers.addresses.map(\.checksummed).sorted() + policy.signers.identifiers.sorted()
    }
    /// The DIDs among them of which nothing can be verified, since their keys stand in documents of which there is no copy.
    package var uncheckedSigners: [String] {
        policy.signers.identifiers.subtracting(signerDocuments.map(\.identifier)).filter(PinnedSigners.needsDocument)
            .sorted()
    }
    /// Connections to it in use at once; nil for any number.
    package var mostConnections: Int? { limits.connections }
    /// HTTP/1.1 connections that are kept idle.
    package var mostIdleConnections: Int { limits.idleConnections }
    /// The methods whose requests carry its key, sorted; none without a key.
    package var credentialMethods: [String] { credential?.methods.sorted() ?? [] }
    /// Bytes of a request's body; nil for any number.
    package var longestRequestBody: Int? { limits.requestBody }
    /// Milliseconds of an exchange in all; nil for any number.
    package var totalMilliseconds: Int64? { timeouts.total.map { $0.nanoseconds / 1_000_000 } }
    /// What of that is limited, in the file's words.
    package var limitWords: String {
        let words = [
            mostConnections.map { "\($0) at once" }, longestRequestBody.map { "\($0) bytes" },
            totalMilliseconds.map { "\($0) ms" },
        ]
        return words.compactMap(\.self).joined(separator: ", ")
    }
    /// Rejections in a row on a route after which payments are paused; 0 never pauses them.
    package var rejectionLimit: Int64 { policy.rules.stopAfterRejections }
    /// For how many seconds a failure that was paid is not paid again; 0 pays it at once.
    package var failurePause: Int64 { policy.rules.repeatAfterFailure }
}

extension Configuration.SignerDocument {
    /// What SHA-256 of the file has to be, 64 hex digits; nil where any is fine.
    package var digestWord: String? { digest.map { Hex.encode($0.bytes) } }
}

extension Configuration.ChainEntry {
    /// Hosts, and ports where they are not the usual ones; never more of a URL.
    package var endpointNames: [String] { endpoints.map(\.name) }
    /// The endpoints that are never asked, in the same way.
    package var redundantNames: [String] { redundant.map(\.name) }
    /// `all` or `majority`.
    package var agreementWord: String { agreement.rawValue }
    /// How many endpoints have to say the same.
    package var neededEndpoints: Int { agreement.needed(of: endpoints.count) }
    /// How many endpoints may lie together without freeing money.
    package var survivedLiars: Int { agreement.liars(of: endpoints.count) }
    /// How many endpoints may be down while payments are still proven.
    package var survivedOutages: Int { agreement.down(of: endpoints.count) }
    /// The rule and what it survives, in a few words.
    package var agreementWords: String {
        guard endpoints.count > 1 else { return "the only one is believed: survives no liar, none down" }
        let rule = agreement == .all ? "all \(endpoints.count)" : "\(neededEndpoints) of \(endpoints.count)"
        func count(_ number: Int, _ word: String) -> String { "\(number == 0 ? "none" : "\(number)") \(word)" }
        return "\(rule): survives \(count(survivedLiars, "lying")), \(count(survivedOutages, "down"))"
    }
    /// `finalized`, `safe` or a number of confirmations.
    package var finalityWord: String { finality.description }
    /// Spenders besides Permit2 that allowances may be given to, EIP-55.
    package var spenderWords: [String] { spenders.map(\.checksummed).sorted() }
}

extension Configuration.WalletEntry {
    /// The `pay` list.
    package var payWords: [String] { pay.map(\.description) }
    /// The `sponsored-approvals` list.
    package var sponsoredApprovalWords: [String] { sponsoredApprovals.map(\.description) }
}

extension Configuration.Listener {
    /// A URL where there is one, and a socket's mode.
    package var words: String {
        switch self {
        case .address(let listen): "http://\(listen)"
        case .socket(_, let mode): "\(self) (mode 0\(String(mode, radix: 8)))"
        case .secure(let listen, _): "https://\(listen) (client certificates)"
        case .systemd: description
        }
    }
}

extension Configuration {
    /// Peers and their agents, sorted.
    package var peerWords: [(peer: String, agent: String)] {
        peers.agents.map { (peer: $0.key.description, agent: $0.value) }.sorted { $0.peer < $1.peer }
    }
    /// Connections of all agents, and of one.
    package var connectionCounts: (total: Int, perAgent: Int) { (connections.total, connections.perAgent) }
    /// What is kept of paid answers: bytes of one and of all together, and for how many milliseconds.
    package var keptAnswerWords: (each: Int, total: Int, milliseconds: Int64) {
        (keptAnswers.each, keptAnswers.total, keptAnswers.time.nanoseconds / 1_000_000)
    }
    /// Bytes of long request bodies that are kept on the disk, and in which folder, as the file writes it; nil for the usual.
    package var spoolWords: (total: Int, path: String?) { (spool.total, spool.path) }
    /// How many prices are learned, and how many payments may wait for a turn to send an approval.
    package var paymentPotWords: (prices: Int, turns: Int) { (paymentPots.learnedPrices, paymentPots.approvalTurns) }
    /// The least severe log records that are written.
    package var logLevelWord: String { logLevel.rawValue }
}
