package import Ledger
import Policy
package import Primitives
package import X402

/// The HTTP request that met a 402, as far as paying for it is concerned.
package struct PaymentRequest: Sendable {
    /// The caller.
    package let agent: Agent
    /// What of the caller has to hold still when something is signed.
    package let claim: AgentClaim
    /// The gateway's name.
    package let gateway: String
    /// The upstream host, lower case, without a port.
    package let host: String
    /// The HTTP request as the books keep it.
    package let content: PaymentIntent.Request
    /// Path and query.
    package let target: String
    /// SHA-256 of the agent's Idempotency-Key, when it sent one.
    package let idempotencyKey: Bytes32?
    /// What the gateway's configuration says about paying it.
    package let policy: GatewayPolicy
    /// Which seller the gateway leads to.
    package let site: SellerSite
    /// The seller's time by the 402: its Date, and its Age.
    package let sellerDate: Timestamp?
    /// Whether the wallet may sign in first; false once it did.
    package let maySignIn: Bool
    /// Whether the agent says that it wants another purchase of what it bought before.
    package let buysAgain: Bool

    /// Makes a request.
    package init(
        agent: Agent, claim: AgentClaim, gateway: String, host: String, site: SellerSite,
        content: PaymentIntent.Request, target: String,
        idempotencyKey: Bytes32? = nil, policy: GatewayPolicy = GatewayPolicy(), sellerDate: Timestamp? = nil,
        maySignIn: Bool = false, buysAgain: Bool = false
    ) {
        self.buysAgain = buysAgain
        self.target = target
        self.agent = agent
        self.claim = claim
        self.gateway = gateway
        self.host = host
        self.site = site
        self.content = content
        self.idempotencyKey = idempotencyKey
        self.policy = policy
        self.sellerDate = sellerDate
        self.maySignIn = maySignIn
    }

    /// The same request after a wait: its seller's clock has gone on meanwhile.
    func later(by seconds: Int64) -> PaymentRequest {
        PaymentRequest(
            agent: agent, claim: claim, gateway: gateway, host: host, site: site, content: content, target: target,
            idempotencyKey: idempotencyKey, policy: policy, sellerDate: sellerDate?.adding(seconds: seconds),
            maySignIn: maySignIn, buysAgain: buysAgain)
    }

    /// The gateway's entry as the request was admitted under it.
    var terms: GatewayTerms { GatewayTerms(site: site, policy: policy) }

    /// What memory of prices goes by, besides the model.
    var route: RequestRoute {
        RequestRoute(agent: agent.name, gateway: gateway, method: content.method, target: target)
    }

    /// What memory of its seller goes by.
    var seller: SellerKey {
        SellerKey(
            agent: agent.name, host: host, method: content.method, path: content.path, model: content.model)
    }

    /// Whose payments it is counted with while the gateway has accepted none.
    var pair: SlowStart.Pair { SlowStart.Pair(agent: agent.name, gateway: gateway) }

    /// What the gate sees of it.
    var subject: GateRequest {
        GateRequest(
            agent: agent.name, team: agent.team, gateway: gateway, host: host, method: content.method,
            path: content.path, model: content.model)
    }

    /// Who pays and what for, decided by the policy of that hash.
    func purpose(under policy: Bytes32?) -> PaymentIntent.Purpose {
        PaymentIntent.Purpose(
            agent: agent.name, team: agent.team, gateway: gateway, host: host, request: content, policy: policy)
    }
}

/// A signed payment that may leave the process: its reservation is on disk.
package struct AuthorizedPayment: Sendable {
    /// The payment's name in the books.
    package let id: PaymentID
    /// The header that carries it.
    ///
    /// It is money until `validBefore`: never log it.
    package let header: PaymentHeader
    /// What was signed.
    package let terms: PaymentIntent.Terms
    /// The 65 signature bytes, for the books.
    let signature: [UInt8]
    /// What the caps admit with this payment counted.
    package let usage: [CapUsage]
    /// The window the seller allows for its answer, in seconds.
    package let answerWithin: Int64
    /// Whether it is an earlier attempt of the same request: its bytes may have left the process before.
    package let isAdopted: Bool
    /// Where the payment stood in the books when it was handed out.
    package let state: PaymentState
    /// Until when the same request is held back because of the payment's earlier answer; nil when it is not.
    package let heldUntil: Timestamp?
    /// The request's fingerprint.
    package let fingerprint: Bytes32
    /// Whether the seller's word frees what it does not take of a maximum.
    let trustsPartial: Bool
    /// Who may sign the seller's receipt besides the payee.
    let signers: PinnedSigners
    /// What it may teach of its route's price.
    var lesson: PriceLesson?
    /// Its place among the agent's payments at the gateway, given back with its outcome.
    var place: SlowStart.Place?
    /// The decision that made it, which ends when its exchange has taken it.
    var decision: OutcomesUnderWay.Decision?

    /// Whether it goes with the first request, for a price that was learned and not asked this time.
    package var isAttached: Bool { lesson?.isAttached ?? false }

    /// Whether an answer says that the payer's allowance to Permit2 is too small, and it can be that.
    package func lacksAllowance(by answer: PaidAnswer) -> Bool {
        answer.saysAllowanceMissing && NonceKeeper(terms) == .permit2
    }

    /// What the payer has to allow when the seller says that it does not allow enough.
    package var missingAllowance: MissingAllowance {
        MissingAllowance(network: terms.network, symbol: terms.symbol, wallet: terms.wallet, allowed: nil)
    }

    /// What an answer leaves counted of it: all that was signed, or of a maximum what a trusted seller says it took.
    package func amountCounted(after answer: PaidAnswer) -> UInt256 {
        guard trustsPartial, terms.isMaximum, case .response(_, let report?, _) = answer, report.success,
            let amount = report.amount, !amount.isZero, amount < terms.amount
        else { return terms.amount }
        return amount
    }

    /// What an answer to it means for the books; `isRepeat` when the bytes were handed to a socket before within this
    /// very exchange.
    package func event(of answer: PaidAnswer, isRepeat: Bool) -> PaymentEvent {
        // Settled for nothing means that nothing went to the chain: the signature can still be settled until its end.
        if terms.isMaximum, case .response(_, let report?, _) = answer, report.success,
            report.amount?.isZero == true
        {
            return .lostSight
        }
        return answer.event(wasSentBefore: isAdopted || isRepeat)
    }
}
