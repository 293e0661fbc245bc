import Audit
import Ledger
import Primitives
import TestSupport
import Testing

/// One row changed behind the books' back, and who must notice.
struct Alteration: Sendable, CustomStringConvertible {
    let description: String
    let check: VerificationReport.Check.Name
    let row: @Sendable (Targets) -> String
    let doctor: @Sendable (Targets) -> Doctoring

    init(
        _ description: String, seenBy check: VerificationReport.Check.Name,
        at row: @escaping @Sendable (Targets) -> String, _ doctor: @escaping @Sendable (Targets) -> Doctoring
    ) {
        self.description = description
        self.check = check
        self.row = row
        self.doctor = doctor
    }

    /// An entry changed, its hash left as it was.
    static func entry(
        _ description: String, seenBy check: VerificationReport.Check.Name,
        at number: @escaping @Sendable (Targets) -> Int64,
        _ change: @escaping @Sendable (JournalEntry) -> JournalEntry
    ) -> Alteration {
        Alteration(description, seenBy: check, at: { "entry \(number($0))" }) { targets in
            let place = number(targets)
            return Doctoring(entry: { $0.number == place ? change($0) : $0 })
        }
    }

    /// The settled payment's row changed.
    static func payment(
        _ description: String, seenBy check: VerificationReport.Check.Name,
        _ change: @escaping @Sendable (PaymentRecord) -> PaymentRecord
    ) -> Alteration {
        Alteration(description, seenBy: check, at: \.name) { targets in
            let id = targets.payment.id
            return Doctoring(payment: { $0.id == id ? change($0) : $0 })
        }
    }

    static let entries: [Alteration] = [
        Alteration("an entry is taken out", seenBy: .numbers, at: { "entry \($0.call + 1)" }) { targets in
            let place = targets.call
            return Doctoring(entry: { $0.number == place ? nil : $0 })
        },
        Alteration("an entry is taken out", seenBy: .chain, at: { "entry \($0.call + 1)" }) { targets in
            let place = targets.call
            return Doctoring(entry: { $0.number == place ? nil : $0 })
        },
        .entry("an entry is dated back", seenBy: .time, at: \.call) { $0.with(at: .vectors) },
        .entry("an entry is dated back", seenBy: .chain, at: \.call) { $0.with(at: .vectors) },
        .entry("an actor is another", seenBy: .chain, at: \.agent) { $0.with(line: { $0.with(actor: "nobody") }) },
        .entry("a note is another", seenBy: .chain, at: \.adjustment) { $0.with(line: { $0.with(detail: "") }) },
        .entry("a hash is another", seenBy: .chain, at: \.call) { $0.with(hash: .numbered(1)) },
        .entry("a step is by another event", seenBy: .states, at: \.step) {
            $0.with(line: { $0.with(cause: "proven-unused") })
        },
        .entry("a step leads elsewhere", seenBy: .states, at: \.step) { $0.with(line: { $0.with(state: .voided) }) },
        .entry("a payment begins settled", seenBy: .states, at: \.first) {
            $0.with(line: { $0.with(state: .settled) })
        },
        .entry("a step moves more", seenBy: .transfers, at: \.step) {
            $0.with(line: { $0.with(transfer: $0.transfer?.larger) })
        },
        .entry("a reservation moves more", seenBy: .transfers, at: \.first) {
            $0.with(line: { $0.with(transfer: $0.transfer?.larger) })
        },
        .entry("a call moves two", seenBy: .transfers, at: \.call) {
            $0.with(line: { $0.with(transfer: $0.transfer?.larger) })
        },
        .entry("an adjustment is of another kind", seenBy: .transfers, at: \.adjustment) {
            $0.with(line: { $0.with(cause: "opening") })
        },
        .entry("a notice moves money", seenBy: .transfers, at: \.agent) {
            $0.with(line: {
                $0.with(transfer: MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "").transfer)
            })
        },
        .entry("an entry is of no payment", seenBy: .payments, at: \.step) {
            $0.with(line: { $0.with(subject: "pay_00000000000000000000000000000000") })
        },
        .entry("a checkpoint's day is another", seenBy: .checkpoints, at: \.checkpoint) {
            $0.with(line: { $0.with(subject: "2026-11-22") })
        },
        .entry("a checkpoint says nothing", seenBy: .checkpoints, at: \.checkpoint) {
            $0.with(line: { $0.with(detail: "{}") })
        },
        .entry("a checkpoint's signature is another's", seenBy: .checkpoints, at: \.checkpoint) { entry in
            entry.with(line: { line in
                Checkpoint(line).map {
                    Checkpoint(
                        statement: $0.statement, signer: Workload.payees[0], signature: $0.signature
                    ).line
                } ?? line
            })
        },
        .entry("a checkpoint's signature is no signature", seenBy: .checkpoints, at: \.checkpoint) { entry in
            entry.with(line: { line in
                Checkpoint(line).map {
                    Checkpoint(statement: $0.statement, signer: $0.signer, signature: [1, 2, 3]).line
                } ?? line
            })
        },
        .entry("a checkpoint is of an earlier entry", seenBy: .checkpoints, at: \.checkpoint) { entry in
            entry.with(line: { line in
                Checkpoint(line).map {
                    let statement = CheckpointStatement(
                        day: $0.statement.day, entries: $0.statement.entries - 1, hash: $0.statement.hash)
                    return Checkpoint(statement: statement, signer: $0.signer, signature: $0.signature).line
                } ?? line
            })
        },
        Alteration("a covered hash is another", seenBy: .checkpoints, at: { "entry \($0.checkpoint)" }) { targets in
            let place = targets.closing
            return Doctoring(entry: { $0.number == place ? $0.with(hash: .numbered(7)) : $0 })
        },
    ]

    static let payments: [Alteration] = [
        .payment("a row's state is another", seenBy: .payments) { $0.with(state: .presumed) },
        .payment("an answer is said not to have arrived", seenBy: .payments) { record in
            var changed = record
            changed.delivery = Delivery(.undelivered, at: record.changedAt)
            return changed
        },
        .payment("a row's time is later", seenBy: .payments) { $0.with(changedAt: Workload.end) },
        Alteration("less was moved than was shown", seenBy: .payments, at: { "payment \($0.shown.id)" }) {
            let id = $0.shown.id
            return Doctoring(payment: { $0.id == id ? $0.with(moved: UInt256(1)) : $0 })
        },
        Alteration("a maximum is forgotten", seenBy: .terms, at: { "payment \($0.shown.id)" }) {
            let id = $0.shown.id
            return Doctoring(payment: { $0.id == id ? $0.with(amount: UInt256(1)) : $0 })
        },
        .payment("an amount is another", seenBy: .terms) { $0.with(amount: UInt256(1)) },
        .payment("an agent is another", seenBy: .terms) { $0.with(agent: "other") },
        .payment("a payee is another", seenBy: .terms) { $0.with(payTo: Workload.foreign) },
        .payment("a payee is another", seenBy: .signatures) { $0.with(payTo: Workload.foreign) },
        .payment("a URL is another", seenBy: .requests) { $0.with(url: "http://other.test/") },
        .payment("an echo is another", seenBy: .requests) {
            $0.with(echo: PaymentIntent.Echo(version: 1, accepted: [], resource: nil, extensions: nil))
        },
        .payment("a salt is lost and the texts are not", seenBy: .requests) { $0.with(salted: false) },
        .payment("a row's evidence is another", seenBy: .evidence) {
            $0.with(evidence: $0.evidence.merging(PaymentEvidence(transaction: "0xother")))
        },
        .payment("a signature is another", seenBy: .signatures) {
            var evidence = $0.evidence
            evidence.signature?[10] ^= 1
            return $0.with(evidence: evidence)
        },
        .payment("a signature is no signature", seenBy: .signatures) {
            var evidence = $0.evidence
            evidence.signature = [1]
            return $0.with(evidence: evidence)
        },
        Alteration("a payment is erased that nobody erased", seenBy: .erasures, at: { _ in "the payments table" }) {
            let id = $0.payment.id
            return Doctoring(payment: { $0.id == id ? $0.erased : $0 })
        },
        Alteration("a row is taken out", seenBy: .payments, at: { "entry \($0.first)" }) {
            let id = $0.payment.id
            return Doctoring(payment: { $0.id == id ? nil : $0 })
        },
        Alteration(
            "a row is put in", seenBy: .payments, at: { _ in "payment pay_00000000000000000000000000000001" }
        ) {
            let id = PaymentID("pay_00000000000000000000000000000001")
            return Doctoring(addedPayments: [$0.payment.with(id: id)])
        },
    ]

    static let others: [Alteration] = [
        Alteration("an entry's evidence is another", seenBy: .evidence, at: { "entry \($0.step)" }) {
            let place = $0.step
            return Doctoring(evidence: { number, evidence in
                number == place ? evidence.merging(PaymentEvidence(status: 201)) : evidence
            })
        },
        Alteration("an entry's evidence is taken out", seenBy: .evidence, at: { "entry \($0.step)" }) {
            let place = $0.step
            return Doctoring(evidence: { number, evidence in number == place ? nil : evidence })
        },
        Alteration(
            "a balance is another", seenBy: .balances, at: { _ in "balance exposed:scout in \(Alteration.usdt)" }
        ) { _ in Doctoring(balance: Alteration.larger) },
        Alteration("a balance is another", seenBy: .doubleEntry, at: { _ in "asset \(Alteration.usdt)" }) { _ in
            Doctoring(balance: Alteration.larger)
        },
        Alteration(
            "a balance is taken out", seenBy: .balances, at: { _ in "balance exposed:scout in \(Alteration.usdt)" }
        ) { _ in
            Doctoring(balance: { Alteration.isTarget($0) ? nil : $0 })
        },
        Alteration("a counter is lower", seenBy: .counters, at: { _ in "cap agent:scout lifetime dollars" }) { _ in
            let key = Cap.Key(CapScope(.agent("scout")), .lifetime)
            return Doctoring(counter: { $0 == key ? CapCounter() : $1 })
        },
        Alteration("a counter is gone", seenBy: .counters, at: { _ in "cap house month dollars" }) { _ in
            let key = Cap.Key(CapScope(.house), .month)
            return Doctoring(counter: { $0 == key ? nil : $1 })
        },
    ]

    static let rules: [Alteration] = [
        Alteration("a cap is raised", seenBy: .rules, at: { _ in "cap house month dollars" }) { _ in
            Doctoring(rules: {
                $0.with(caps: {
                    $0.map { $0.scope == CapScope(.house) ? Cap($0.scope, CapLimit(.month, .cents(90_000))) : $0 }
                })
            })
        },
        Alteration("a cap is gone", seenBy: .rules, at: { _ in "cap house month dollars" }) { _ in
            Doctoring(rules: { $0.with(caps: { $0.filter { $0.scope != CapScope(.house) } }) })
        },
        Alteration("a cap is put in", seenBy: .rules, at: { _ in "cap house week dollars" }) { _ in
            Doctoring(rules: { $0.with(caps: { $0 + [Cap(CapScope(.house), CapLimit(.week, .cents(1)))] }) })
        },
        Alteration("an agent is put in", seenBy: .rules, at: { _ in "agent intruder" }) { _ in
            Doctoring(rules: { $0.with(agents: { $0 + [SampleAgent.sample("intruder", number: 9).agent] }) })
        },
        Alteration("an agent is gone", seenBy: .rules, at: { _ in "agent scout" }) { _ in
            Doctoring(rules: { $0.with(agents: { $0.filter { $0.name != "scout" } }) })
        },
        Alteration("an agent is in another team", seenBy: .rules, at: { _ in "agent gpt-4" }) { _ in
            Doctoring(rules: {
                $0.with(agents: {
                    $0.map { $0.name == "gpt-4" ? SampleAgent.sample("gpt-4", number: 3, team: "other").agent : $0 }
                })
            })
        },
        Alteration("a call is gone", seenBy: .calls, at: { "entry \($0.call)" }) { targets in
            Doctoring(call: { $0.number == targets.calls ? nil : $0 })
        },
        Alteration("a call is another agent's", seenBy: .calls, at: { "entry \($0.call)" }) { targets in
            Doctoring(call: {
                guard $0.number == targets.calls else { return $0 }
                return NumberedCall(
                    number: $0.number,
                    call: MeteredCall(agent: "other", team: nil, gateway: $0.call.gateway, host: $0.call.host),
                    at: $0.at)
            })
        },
        Alteration("an agent has another token", seenBy: .rules, at: { _ in "agent scout" }) { _ in
            Doctoring(rules: {
                $0.with(agents: {
                    $0.map { agent in
                        guard agent.name == "scout" else { return agent }
                        return Agent(
                            name: agent.name, wallet: agent.wallet, team: agent.team, tokenHash: .numbered(66),
                            addedAt: agent.addedAt)
                    }
                })
            })
        },
        Alteration("an agent was added at another time", seenBy: .rules, at: { _ in "agent scout" }) { _ in
            Doctoring(rules: {
                $0.with(agents: {
                    $0.map { agent in
                        var agent = agent
                        if agent.name == "scout" { agent.addedAt = agent.addedAt.adding(seconds: -1) }
                        return agent
                    }
                })
            })
        },
        Alteration("a freeze is of another time", seenBy: .rules, at: { _ in "freeze gateway:closed" }) { _ in
            Doctoring(rules: {
                $0.with(freezes: {
                    $0.map {
                        var freeze = $0
                        freeze.since = freeze.since.adding(seconds: 60)
                        return freeze
                    }
                })
            })
        },
        Alteration("a freeze has another reason", seenBy: .rules, at: { _ in "freeze gateway:closed" }) { _ in
            Doctoring(rules: {
                $0.with(freezes: {
                    $0.map { Freeze(scope: $0.scope, since: $0.since, actor: $0.actor, reason: "other words") }
                })
            })
        },
        Alteration("a freeze is by somebody else", seenBy: .rules, at: { _ in "freeze gateway:closed" }) { _ in
            Doctoring(rules: {
                $0.with(freezes: {
                    $0.map { Freeze(scope: $0.scope, since: $0.since, actor: "nobody", reason: $0.reason) }
                })
            })
        },
        Alteration("a freeze is gone", seenBy: .rules, at: { _ in "freeze gateway:closed" }) { _ in
            Doctoring(rules: { $0.with(freezes: { _ in [] }) })
        },
        .entry("a rule's entry says nothing", seenBy: .rules, at: \.cap) { $0.with(line: { $0.with(detail: "?") }) },
    ]

    static let rejections: [Alteration] = [
        .rejections("what may still be settled is more") {
            AgentRejections(
                epoch: $0.epoch, freshRoutes: $0.freshRoutes, exposed: $0.exposed.adding(.cents(1)) ?? .zero,
                stop: $0.stop,
                routes: $0.routes)
        },
        .rejections("an agent's rejections are gone") { _ in nil },
        .rejections("an agent's rejected routes are gone") {
            AgentRejections(epoch: $0.epoch, exposed: $0.exposed, stop: $0.stop)
        },
        .rejections("a route has more rejections than the journal") { own in
            let routes = own.routes.mapValues {
                RouteStreak(
                    count: 99, epoch: $0.epoch, rejectedAt: $0.rejectedAt, saysUnfunded: false, probes: $0.probes)
            }
            return AgentRejections(
                epoch: own.epoch, freshRoutes: own.freshRoutes, exposed: own.exposed, stop: own.stop, routes: routes)
        },
        .rejections("a route was rejected at another time") { own in
            let routes = own.routes.mapValues {
                RouteStreak(
                    count: $0.count, epoch: $0.epoch, rejectedAt: $0.rejectedAt.adding(seconds: 1), saysUnfunded: false,
                    probes: $0.probes)
            }
            return AgentRejections(
                epoch: own.epoch, freshRoutes: own.freshRoutes, exposed: own.exposed, stop: own.stop, routes: routes)
        },
        .rejections("a route belongs to a count that never was") { own in
            let routes = own.routes.mapValues {
                RouteStreak(
                    count: $0.count, epoch: $0.epoch + 1, rejectedAt: $0.rejectedAt, saysUnfunded: false,
                    probes: $0.probes)
            }
            return AgentRejections(
                epoch: own.epoch, freshRoutes: own.freshRoutes, exposed: own.exposed, stop: own.stop, routes: routes)
        },
        .rejections("more routes were rejected than the journal has rejections") {
            AgentRejections(
                epoch: $0.epoch, freshRoutes: 99, exposed: $0.exposed, stop: $0.stop, routes: $0.routes)
        },
        .rejections("three routes were rejected and the agent is not paused") {
            AgentRejections(epoch: $0.epoch, freshRoutes: 3, exposed: $0.exposed, stop: nil, routes: $0.routes)
        },
        .rejections("a count was ended that nothing ended") {
            AgentRejections(
                epoch: 1, freshRoutes: $0.freshRoutes, exposed: $0.exposed, stop: $0.stop, routes: $0.routes)
        },
        .rejections("an agent is paused since a time at which nothing was rejected") {
            let stop = AgentRejections.Stop(
                cause: .routes, since: .vectors, accepted: .none, saysUnfunded: false,
                probes: ProbeSchedule(beginningAt: .vectors))
            return AgentRejections(
                epoch: $0.epoch, freshRoutes: $0.freshRoutes, exposed: $0.exposed, stop: stop, routes: $0.routes)
        },
        Alteration(
            "an agent is put in that nothing was rejected of", seenBy: .rejections,
            at: { _ in "rejections of agent ghost at gateway Lab 2" }
        ) { _ in
            Doctoring(rejections: { kept in
                var kept = kept
                var agents = kept["Lab 2"]?.agents ?? [:]
                agents["ghost"] = AgentRejections(exposed: .cents(1))
                kept["Lab 2"] = GatewayRejections(agents: agents)
                return kept
            })
        },
        Alteration("a gateway is paused for all", seenBy: .rejections, at: { _ in "pause of gateway Lab 2" }) { _ in
            Doctoring(rejections: { kept in
                kept.mapValues {
                    GatewayRejections(agents: $0.agents, probes: ProbeSchedule(beginningAt: .vectors))
                }
            })
        },
        Alteration(
            "a wallet is doubted that nothing was rejected of", seenBy: .rejections,
            at: { _ in "funds of wallet main in USDT on eip155:1" }
        ) { _ in
            let purse = Purse(network: "eip155:1", asset: Workload.usdt, payer: Workload.payees[0])
            let standing = UnfundedWallets.Standing(
                wallet: "main", symbol: "USDT", decimals: 6,
                claims: ["x": UnfundedWallets.Claim(at: .vectors, amount: .zero)])
            return Doctoring(funds: { _ in UnfundedWallets(standings: [purse: standing]) })
        },
    ]

    /// The rejections of the agent that the workload's gateway rejects, changed.
    static func rejections(
        _ description: String, _ change: @escaping @Sendable (AgentRejections) -> AgentRejections?
    ) -> Alteration {
        Alteration(
            description, seenBy: .rejections, at: { _ in "rejections of agent my_agent.v2 at gateway Lab 2" }
        ) { _ in
            Doctoring(rejections: { kept in
                var kept = kept
                var agents = kept["Lab 2"]?.agents ?? [:]
                agents["my_agent.v2"] = agents["my_agent.v2"].flatMap(change)
                kept["Lab 2"] = GatewayRejections(agents: agents)
                return kept
            })
        }
    }

    private static let usdt = "eip155:42161/\(Workload.usdt)"

    @Sendable private static func isTarget(_ balance: AccountBalance) -> Bool {
        balance.account == .exposed(agent: "scout") && balance.asset == usdt
    }

    @Sendable private static func larger(_ balance: AccountBalance) -> AccountBalance {
        guard isTarget(balance) else { return balance }
        return AccountBalance(
            account: balance.account, asset: balance.asset, debits: balance.debits.saturatingSum(UInt256(1)),
            credits: balance.credits)
    }
}

@Suite("Doctored rows")
struct DoctoredRowTests {
    private static let alterations =
        Alteration.entries + Alteration.payments + Alteration.others + Alteration.rules
        + Alteration.rejections

    @Test("the right check names the right row", arguments: alterations)
    func alteration(_ alteration: Alteration) async throws {
        let workload = try await Workload.seeded()
        let targets = try await Targets(workload)
        let report = try await workload.verify(doctored: alteration.doctor(targets))
        let failure = try #require(report[alteration.check].failure, "\(alteration): \(alteration.check)")
        #expect(failure.row == alteration.row(targets))
        #expect(failure.sentence.hasPrefix(failure.row))
        #expect(!report.isSound)
    }
}
