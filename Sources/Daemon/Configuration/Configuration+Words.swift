import Chain
import Ledger
import Logging
import Payments
import Policy
import Proxy

/// Settings in the configuration's own words, for whoever shows them.
extension Configuration.GatewayEntry {
    /// `x402` or `prepaid`.
    package var billingWord: String { billing.rawValue }
    /// The longest time for which a payment is signed, in seconds.
    package var longestWindow: Int64 { policy.gate.maxValidity }
    /// Rejections in a row behind which payments stop; 0 never stops them.
    package var rejectionLimit: Int64 { policy.rules.stopAfterRejections }
}

extension Configuration.ChainEntry {
    /// Hosts, and ports where they are not the usual ones; never more of a URL.
    package var endpointNames: [String] { endpoints.map(\.name) }
    /// `finalized`, `safe` or a number of confirmations.
    package var finalityWord: String { finality.description }
}

extension Configuration.WalletEntry {
    /// The `pay` list.
    package var payWords: [String] { pay.map(\.description) }
}

extension Configuration {
    /// The least severe log records that are written.
    package var logLevelWord: String { logLevel.rawValue }
}
