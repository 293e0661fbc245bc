package import Primitives

/// A challenge that was not paid, kept so that an operator can see what agents were asked for.
package struct RefusedPayment: Sendable, Equatable {
    /// The refusal's name in the books.
    package let id: PaymentID
    /// Who asked and what for; of the request's method and URL no more than ``maximumMethodBytes`` and ``maximumURLBytes``.
    package let purpose: PaymentIntent.Purpose
    /// The refusal's stable code.
    package let code: String
    /// The terms of the entry that was refused, when one could be read that far.
    package let terms: PaymentIntent.Terms?
    /// 32 random bytes that keep the hash of what may be erased from being guessed.
    package let salt: Bytes32

    /// The longest URL that a refusal keeps.
    package static let maximumURLBytes = 2 << 10
    /// The longest method that a refusal keeps.
    package static let maximumMethodBytes = 64

    /// Makes a refusal.
    package init(
        id: PaymentID, purpose: PaymentIntent.Purpose, code: String, terms: PaymentIntent.Terms?, salt: Bytes32
    ) {
        self.id = id
        self.salt = salt
        self.purpose = purpose.cut
        self.code = code
        self.terms = terms
    }

    /// How many bytes of the file its rows take: the payment, with what its page leaves unused, its entry, its evidence, and
    /// their places in the indexes.
    package var rowBytes: Int {
        let request = purpose.request
        let texts: [String?] = [
            purpose.agent, purpose.team, purpose.gateway, purpose.host, request?.method, request?.url,
            request?.modelText, terms?.scheme, terms?.method, terms?.network, terms?.asset, terms?.symbol,
            terms?.wallet, terms?.payer, terms?.payTo,
        ]
        let payment = texts.reduce(Self.paymentBytes) { $0 + ($1?.utf8.count ?? 0) }
        let pages = payment > Self.pageRoom ? 2 * Self.page : Self.page / (Self.pageRoom / payment)
        return pages + Self.entryBytes + purpose.agent.utf8.count + 2 * code.utf8.count
    }

    /// A page of the file, and what rows may take of it.
    private static let page = 4096
    private static let pageRoom = 4000
    /// Numbers, hashes, salt and header of a payment's row.
    private static let paymentBytes = 320
    /// The same of its entry and its evidence, and the entries of the indexes.
    private static let entryBytes = 400
}

extension PaymentIntent.Purpose {
    /// The purpose with as much of the agent's texts as a refusal keeps.
    fileprivate var cut: PaymentIntent.Purpose {
        guard let request,
            request.url.utf8.count > RefusedPayment.maximumURLBytes
                || request.method.utf8.count > RefusedPayment.maximumMethodBytes
        else { return self }
        let short = PaymentIntent.Request(
            method: request.method.cut(to: RefusedPayment.maximumMethodBytes),
            url: request.url.cut(to: RefusedPayment.maximumURLBytes), model: request.model,
            fingerprint: request.fingerprint)
        return PaymentIntent.Purpose(
            agent: agent, team: team, gateway: gateway, host: host, request: short, policy: policy)
    }
}

extension String {
    /// Its beginning, in at most so many bytes of UTF-8.
    fileprivate func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        // A character that the cut would divide is left out.
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
