/// Who may spend how much, as of one generation of the books: agents, caps and freezes.
package struct Rulebook: Sendable {
    /// Grows with every change of an agent, a token, a cap or a freeze.
    package let generation: UInt64
    /// The agents by name.
    package let agents: [String: Agent]
    /// The freezes in force.
    package let freezes: [FreezeScope: Freeze]
    private let caps: [CapHolder: [Cap]]

    /// Makes a rulebook.
    package init(generation: UInt64, agents: [Agent], caps: [Cap], freezes: [Freeze]) {
        self.generation = generation
        self.agents = Dictionary(agents.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.freezes = Dictionary(freezes.map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        self.caps = Dictionary(grouping: caps.sorted(), by: \.scope.holder)
    }

    /// The caps that count a spend, narrowest first.
    package func caps(counting spend: Spend) -> [Cap] {
        var counting: [Cap] = []
        for holder in spend.holders {
            for cap in caps[holder] ?? [] where spend.isCounted(by: cap.scope) { counting.append(cap) }
        }
        return counting
    }

    /// The caps that can count payments of an agent: its own, its team's and the house's, narrowest first.
    package func caps(of agent: Agent) -> [Cap] {
        var holders: [CapHolder] = [.agent(agent.name)]
        if let team = agent.team { holders.append(.team(team)) }
        holders.append(.house)
        return holders.flatMap { caps[$0] ?? [] }
    }

    /// The cap of a name, or nil.
    package func cap(_ key: Cap.Key) -> Cap? {
        caps[key.scope.holder]?.first { $0.key == key }
    }

    /// All caps, narrowest first.
    package var allCaps: [Cap] { caps.values.flatMap(\.self).sorted() }

    /// The freeze that a wallet stands under whoever uses it.
    package func freeze(ofWallet wallet: String) -> Freeze? { freezes[.everything] ?? freezes[.wallet(wallet)] }

    /// What stands against any signature for an agent at a gateway: an unknown agent, or a freeze, the widest first.
    ///
    /// A call of a prepaid gateway uses no wallet.
    package func obstacle(for agent: String, at gateway: String, from wallet: String?) -> ReservationRefusal? {
        guard agents[agent] != nil else { return .unknownAgent }
        let freeze =
            freezes[.everything] ?? wallet.flatMap { freezes[.wallet($0)] } ?? freezes[.agent(agent)]
            ?? freezes[.gateway(gateway)]
        return freeze.map(ReservationRefusal.frozen)
    }

    /// What stands against a signature for a request that was admitted earlier: its agent was removed or has another token,
    /// or a freeze.
    package func obstacle(to claim: AgentClaim, at gateway: String, from wallet: String) -> ReservationRefusal? {
        guard let agent = agents[claim.name], claim.isMet(by: agent) else { return .unknownAgent }
        return obstacle(for: claim.name, at: gateway, from: wallet)
    }

    /// What stands against a spend before its caps are counted: an unknown agent, a freeze, or no cap of that kind.
    ///
    /// A payment needs a cap that limits money, a call of a prepaid gateway one that limits calls.
    package func obstacle(
        to spend: Spend, from wallet: String?, caps: [Cap], isMetered: Bool
    ) -> ReservationRefusal? {
        if let obstacle = obstacle(for: spend.agent, at: spend.gateway, from: wallet) { return obstacle }
        let isLimited = caps.contains { ($0.limit.measure == .payments) == isMetered }
        return isLimited ? nil : .noCap
    }
}

extension Rulebook {
    /// The purpose with the team that its agent is in by these rules; an agent that is gone keeps the one it came with.
    ///
    /// A request may have been under way while an operator moved its agent: what counts is where the agent is when the
    /// books decide.
    package func placed(_ purpose: PaymentIntent.Purpose) -> PaymentIntent.Purpose {
        guard let agent = agents[purpose.agent] else { return purpose }
        var purpose = purpose
        purpose.team = agent.team
        return purpose
    }

    /// The intent with the team that its agent is in by these rules.
    package func placed(_ intent: PaymentIntent) -> PaymentIntent {
        var intent = intent
        intent.purpose = placed(intent.purpose)
        return intent
    }

    /// The sign-in with the team that its agent is in by these rules.
    package func placed(_ signIn: SignInIntent) -> SignInIntent {
        var signIn = signIn
        signIn.purpose = placed(signIn.purpose)
        return signIn
    }

    /// The call with the team that its agent is in by these rules.
    package func placed(_ call: MeteredCall) -> MeteredCall {
        guard let agent = agents[call.agent] else { return call }
        var call = call
        call.team = agent.team
        return call
    }
}
