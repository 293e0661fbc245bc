package import Ethereum
package import Primitives
package import X402

/// Stateless checks of a challenge against the pinned table and one wallet: pure, the same inputs give the same answer.
package struct Vetting: Sendable {
    /// The longest window that is signed unless a gateway's configuration says otherwise, in seconds.
    package static let maximumValidity: Int64 = 600
    /// The shortest window that is signed: verifiers want six seconds ahead, and settlement needs some.
    package static let minimumValidity: Int64 = 10
    /// How far back the window begins, so that a slow chain or a fast clock does not make a payment invalid.
    ///
    /// Never further than the window may reach forward: a short one is short on both sides.
    package static let backdating: Int64 = 600
    /// The window when the seller names none.
    package static let defaultValidity: Int64 = 300

    private let table: AssetTable
    private let rules: [PayRule]
    private let payer: Address
    private let maxValidity: Int64

    /// Makes the checks for one wallet: `rules` is its `pay:` list in order of preference.
    ///
    /// `maxValidity` is the longest window that is signed, in seconds; a seller's longer one is echoed but not signed.
    package init(
        table: AssetTable, rules: [PayRule], payer: Address, maxValidity: Int64 = Vetting.maximumValidity
    ) {
        self.table = table
        self.rules = rules
        self.payer = payer
        self.maxValidity = maxValidity
    }

    /// The entry to pay, or the code of the entry that came closest.
    ///
    /// What cannot be paid falls away first; of the rest, entries charged only on success go before other flows, then
    /// the wallet's order decides, then the seller's.
    package func choose(from challenge: Challenge, at now: Timestamp) -> Result<VettedPayment, Refusal> {
        var best: (payment: VettedPayment, flow: Int, rule: Int)?
        var refusal = Refusal(code: .unreadable, requirement: nil)
        for requirement in challenge.requirements {
            do {
                let (payment, rule) = try vet(requirement, at: now)
                let flow = requirement.extra.paymentFlow ?? "authorization" == "authorization" ? 0 : 1
                if let current = best, (current.flow, current.rule) <= (flow, rule) { continue }
                best = (payment, flow, rule)
            } catch {
                if refusal.requirement == nil || error > refusal.code {
                    refusal = Refusal(code: error, requirement: requirement)
                }
            }
        }
        guard let best else { return .failure(refusal) }
        return .success(best.payment)
    }

    /// A challenge of which nothing may be paid.
    package struct Refusal: Error, Equatable, Sendable {
        /// The code of the entry that came closest.
        package let code: RefusalCode
        /// That entry; nil when none could be read.
        package let requirement: PaymentRequirement?
    }

    private static let knownFlows: Set<String> = ["authorization", "upfront", "escrow"]

    private func vet(
        _ requirement: PaymentRequirement, at now: Timestamp
    ) throws(RefusalCode) -> (payment: VettedPayment, rule: Int) {
        let extra = requirement.extra
        guard requirement.scheme == "exact" else { throw .scheme }
        guard let network = table.network(spelled: requirement.network) else { throw .network }
        guard extra.paymentFlow.map(Self.knownFlows.contains) ?? true else { throw .flow }
        guard let address = Address(hex: requirement.asset), requirement.asset.hasPrefix("0x"),
            let asset = table.asset(network: network, address: address)
        else { throw .asset }
        guard asset.transfer == .eip3009, extra.assetTransferMethod ?? "eip3009" == "eip3009",
            let domain = asset.domain, let separator = asset.domainSeparator
        else { throw .transferMethod }
        guard extra.name ?? domain.name == domain.name, extra.version ?? domain.version == domain.version,
            extra.verifyingContract.map({ Address(hex: $0) == asset.address }) ?? true
        else { throw .domain }
        guard let payTo = Address(hex: requirement.payTo), requirement.payTo.hasPrefix("0x"), payTo != .zero,
            payTo != asset.address, payTo != payer
        else { throw .payee }
        guard
            let value = TokenAmount.dollars(of: requirement.amount, decimals: asset.decimals, par: asset.par)
        else { throw .amount }
        let validity = min(requirement.maxTimeoutSeconds ?? Self.defaultValidity, maxValidity)
        guard validity >= Self.minimumValidity else { throw .window }
        guard let rule = rules.firstIndex(where: { $0.matches(asset) }) else { throw .notInPayList }
        let payment = VettedPayment(
            requirement: requirement, asset: asset, domainSeparator: separator, payer: payer, payTo: payTo,
            value: value, validAfter: now.seconds - min(Self.backdating, maxValidity),
            validBefore: now.seconds + validity)
        return (payment, rule)
    }
}

extension RefusalCode: Error {}
