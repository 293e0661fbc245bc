import Ethereum
import Ledger
import Logging
import Policy
import Primitives
import X402

/// What sellers sign, verified as it comes: offers before a payment, receipts behind it.
///
/// Neither decides whether anything is paid; both are kept, and what is wrong with one is told.
struct SellerProofs: Sendable {
    private let context: Secp256k1Context?
    private let notices: OperatorNotices
    private let logger: Logger

    init(notices: OperatorNotices, logger: Logger, random: any RandomSource) {
        self.notices = notices
        self.logger = logger
        context = (try? random.bytes32()).flatMap { try? Secp256k1Context(seed: $0) }
    }

    /// Judges by the payee's own signature, and by those that the operator has named for the gateway.
    private func verifier(_ signers: PinnedSigners) -> ProofVerifier? {
        context.map { ProofVerifier(context: $0, pinned: signers) }
    }

    /// The seller's offer for a payment; nil when it makes none.
    func offer(
        in challenge: Challenge, for payment: ClearedPayment, of request: PaymentRequest, at now: Timestamp
    ) -> ProofFinding? {
        let order = payment.order
        let price = ProofVerifier.Price(
            scheme: payment.entry.scheme, network: order.token.network, asset: order.token.addressText,
            payTo: order.payToText, amount: order.amount)
        return verifier(request.policy.signers)?
            .offer(in: challenge.extensions, for: price, resource: request.content.url, at: now)
    }

    /// Tells of an offer that does not stand for what is paid.
    func tell(
        _ finding: ProofFinding, of payment: PaymentID, at gateway: String, by agent: String, now: Timestamp
    ) async {
        await tell("offer", finding, of: payment, at: gateway, by: agent, now: now)
    }

    /// Looks at the receipt in a settlement's report.
    func examineReceipt(
        in report: SettlementReport, of record: PaymentRecord, signers: PinnedSigners, at now: Timestamp
    ) async {
        guard report.success, let terms = record.terms, let url = record.purpose.request?.url else { return }
        let purchase = ProofVerifier.Purchase(
            resource: url, network: terms.network, payTo: terms.payTo,
            payers: [Address(hex: terms.payer)].compactMap { $0 }, transaction: report.transaction)
        guard let finding = verifier(signers)?.receipt(in: report, for: purchase, at: now) else { return }
        await tell(
            "receipt", finding, of: record.id, at: record.purpose.gateway, by: record.purpose.agent, now: now)
    }

    private func tell(
        _ what: String, _ finding: ProofFinding, of payment: PaymentID, at gateway: String, by agent: String,
        now: Timestamp
    ) async {
        switch finding.verdict {
        case .verified:
            logger.info("\(what) verified", metadata: ["payment": "\(payment)", "verdict": "\(finding.verdict.words)"])
        case .needsDocument:
            logger.notice(
                "\(what) not verified: its key was not checked",
                metadata: ["payment": "\(payment)", "verdict": "\(finding.verdict.words)"])
        default:
            await notices.doubtful(what, finding.verdict.words, of: payment, at: gateway, by: agent, now: now)
        }
    }
}

extension ProofVerdict {
    /// The verdict in words for the log and the journal, at most 200 printable characters.
    var words: String {
        let text =
            switch self {
            case .verified(let signer): "verified, signed by \(signer.words)"
            case .unauthorizedSigner(let signer): "signed by \(signer.words), who is neither the payee nor pinned"
            case .badSignature: "the signature is not that of the key it names"
            case .mismatch(let member): "it says another \(member) than was agreed"
            case .expired: "it is out of date"
            case .unreadable(let part): "its \(part) cannot be read"
            case .needsDocument(let url):
                "not verified: the key stands in \(url), which is not fetched, and no copy of it is pinned (`document`)"
            }
        return text.printable(limit: 200)
    }
}

extension ProofSigner {
    fileprivate var words: String {
        switch self {
        case .address(let address): address.checksummed
        case .identifier(let text): text
        }
    }
}
