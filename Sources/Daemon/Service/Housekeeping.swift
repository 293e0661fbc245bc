package import Ledger
package import Logging
package import Payments
package import Primitives

/// What a daemon does by itself between requests.
package struct Housekeeping: Sendable {
    /// How often the schedule is looked at; every duty's pause is a multiple.
    private static let pause: Duration = .seconds(5)
    /// How long it is between two readings of a chain.
    private static let chainPause: Duration = .seconds(30)

    private let store: any LedgerStore
    private let engine: PaymentEngine
    private let policy: Replaceable<OverduePolicy>
    private let closing: LedgerClosing?
    private let clock: any WallClock
    private let logger: Logger

    /// Gathers what the duties need; without a closing no day is signed for.
    package init(
        store: any LedgerStore, engine: PaymentEngine, policy: OverduePolicy, closing: LedgerClosing?,
        clock: any WallClock, logger: Logger
    ) {
        self.store = store
        self.engine = engine
        self.policy = Replaceable(policy)
        self.closing = closing
        self.clock = clock
        self.logger = logger
    }

    /// Closes what is overdue by another policy from now on.
    package func replace(policy: OverduePolicy) { self.policy.replace(with: policy) }

    /// Brings books up to date whose last daemon may have died; before anything is served.
    package static func bringUpToDate(
        _ store: any LedgerStore, policy: OverduePolicy, at now: Timestamp, logger: Logger
    ) async throws(LedgerError) {
        let doubtful = try await store.doubtAttended(at: now)
        if doubtful.value > 0 {
            logger.warning(
                "payments left open by the last run are in doubt, or their answers did not arrive",
                metadata: ["count": "\(doubtful.value)"])
        }
        let closed = try await store.closeOverdue(policy, at: now)
        await tell(of: doubtful.damage + closed.damage, store, at: now, logger: logger)
    }

    /// The most damaged rows that are told of at once.
    private static let damageLimit = 50

    /// Tells an operator of damaged rows that were passed over, in the journal and in the log: once an hour for each.
    private static func tell(
        of damage: [LedgerError], _ store: any LedgerStore, at now: Timestamp, logger: Logger
    ) async {
        for fault in damage.prefix(damageLimit) {
            // What the journal cannot hold the log has to say.
            let isNews = (try? await store.notice("row-damaged", about: "\(fault)", detail: nil, at: now)) ?? true
            if isNews { logger.critical("payment passed over", metadata: ["problem": "\(fault)"]) }
        }
    }

    /// Does what is due until the task is cancelled.
    package func run() async {
        var schedule = HousekeepingSchedule()
        repeat {
            for duty in schedule.due(at: clock.now()) { await perform(duty) }
        } while await Self.rest(Self.pause)
    }

    /// Does one thing; what fails is logged, and due again the next time.
    package func perform(_ duty: HousekeepingSchedule.Duty) async {
        switch duty {
        case .retryUnbooked: await engine.retryUnbooked()
        case .noteRefusals: await engine.noteRefusals()
        case .closeOverdue:
            do throws(LedgerError) {
                let now = clock.now()
                let closed = try await store.closeOverdue(policy.current, at: now)
                if closed.value > 0 {
                    logger.notice("payments past their window closed", metadata: ["count": "\(closed.value)"])
                }
                await Self.tell(of: closed.damage, store, at: now, logger: logger)
            } catch {
                logger.error("ledger not writable", metadata: ["problem": "\(error)"])
            }
        case .closeDay: _ = await closing?.closeDay(at: clock.now())
        }
    }

    /// Holds payments of a network against its chain until the task is cancelled: what became of them, and what those
    /// moved whose signed amount is a maximum.
    package func watch(
        _ network: String, through witness: any ChainWitness, amounts: (any SettlementWitness)? = nil
    ) async {
        let (cursor, shown) = (ReconciliationCursor(), ReconciliationCursor())
        repeat {
            await reconcile(network, through: witness, cursor: cursor)
            if let amounts { await showAmounts(network, through: amounts, cursor: shown) }
        } while await Self.rest(Self.chainPause)
    }

    /// Has a chain looked at once in a while although nothing has to be proven, until the task is cancelled.
    package func keepAnEyeOn(_ watch: ChainWatch) async {
        while await Self.rest(.seconds(60)) { await watch.lookWhenIdle() }
    }

    /// Tells an operator of something about a chain, in the journal and in the log: once an hour for each cause.
    package func tell(_ cause: String, _ detail: String, of network: String) async {
        // What the journal cannot hold the log has to say.
        let isNews =
            (try? await store.notice(cause, about: "chain:\(network)", detail: detail, at: clock.now())) ?? true
        if isNews {
            logger.error(
                "chain proves nothing", metadata: ["network": "\(network)", "cause": "\(cause)", "detail": "\(detail)"])
        }
    }

    /// Holds unproven payments of a network against its chain once; what fails is logged.
    package func reconcile(
        _ network: String, through witness: any ChainWitness, cursor: ReconciliationCursor? = nil
    ) async {
        do {
            let now = clock.now()
            let tally = try await ChainReconciliation.run(
                network: network, store: store, witness: witness, cursor: cursor, at: now, logger: logger)
            await Self.tell(of: tally.damage, store, at: now, logger: logger)
            guard tally.confirmed + tally.released > 0 else { return }
            logger.notice(
                "payments proven by the chain",
                metadata: [
                    "network": "\(network)", "confirmed": "\(tally.confirmed)", "released": "\(tally.released)",
                    "waiting": "\(tally.waiting)",
                ])
        } catch {
            // Nobody is told that a daemon which stops has stopped reading.
            guard !Task.isCancelled else { return }
            logger.warning("chain not read", metadata: ["network": "\(network)", "problem": "\(error)"])
        }
    }

    /// Asks what some payments of a network moved whose signed amount is a maximum; what fails is logged.
    package func showAmounts(
        _ network: String, through witness: any SettlementWitness, cursor: ReconciliationCursor
    ) async {
        do {
            let count = try await SettlementReconciliation.run(
                network: network, store: store, witness: witness, cursor: cursor, at: clock.now(), logger: logger)
            guard count > 0 else { return }
            logger.notice(
                "amounts shown by the chain", metadata: ["network": "\(network)", "payments": "\(count)"])
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("settled amounts not read", metadata: ["network": "\(network)", "problem": "\(error)"])
        }
    }

    /// Waits; false when the task was cancelled.
    private static func rest(_ pause: Duration) async -> Bool {
        do {
            try await Task.sleep(for: pause)
            return true
        } catch {
            return false
        }
    }
}
