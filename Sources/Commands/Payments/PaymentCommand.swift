import ArgumentParser
import Audit
import Daemon
import Ledger
import Primitives

/// The command `purser payment`.
struct PaymentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "payment", abstract: "What the books say.",
        subcommands: [PaymentListCommand.self, PaymentShowCommand.self])
}

struct PaymentListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List payments and refusals, newest first.")

    @Option(help: ArgumentHelp("Only this agent's.", valueName: "name"))
    var agent: String?

    @Option(help: ArgumentHelp("Only those through this gateway.", valueName: "name"))
    var gateway: String?

    @Option(
        name: .customLong("in-state"),
        help: ArgumentHelp(
            "Only those in this state: \(PaymentState.allCases.map(\.rawValue).joined(separator: ", ")); may be repeated.",
            valueName: "state"),
        transform: Self.state)
    var states: [PaymentState] = []

    @Flag(
        help: """
            Only those that may still be settled: reserved, resumed, rejected and in doubt; with the exposure of each \
            agent, until when, and what is settled, exposed, presumed and released.
            """)
    var open = false

    @Option(help: ArgumentHelp("At most this many (up to \(PaymentFilter.maximumLimit)).", valueName: "n"))
    var limit = 1000

    @OptionGroup var options: StateOptions

    @Sendable private static func state(_ text: String) throws -> PaymentState {
        guard let state = PaymentState(rawValue: text) else {
            let known = PaymentState.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("`\(text)` is not one of \(known).")
        }
        return state
    }

    func validate() throws {
        guard (1...PaymentFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(PaymentFilter.maximumLimit).")
        }
        guard !open || states.isEmpty else { throw ValidationError("Use either --open or --in-state.") }
    }

    func run() async throws {
        let openStates = Set(PaymentState.allCases.filter(\.isOpen))
        let filter = PaymentFilter(
            agent: agent, gateway: gateway, states: open ? openStates : states.isEmpty ? nil : Set(states),
            limit: limit)
        let listsRefusals = !open && (states.isEmpty || states.contains(.refused))
        let (payments, totals, counted) = try await options.withLedger { [agent, open] ledger in
            (
                try await ledger.payments(filter),
                open ? try await ledger.read { (snapshot) throws(LedgerError) in try Totals(snapshot) } : nil,
                listsRefusals
                    ? try await ledger.read { (snapshot) throws(LedgerError) in try snapshot.countedRefusals() }
                        .filter { agent == nil || $0.counted.agent == agent }.reduce(Int64(0)) { $0 + $1.counted.count }
                    : 0
            )
        }
        if let totals {
            try show(payments, totals)
        } else if options.json {
            JSONOutput.array(payments) { PaymentOutput.write($1, to: &$0) }
        } else {
            PaymentOutput.show(payments, untilWhen: false)
        }
        if counted > 0 {
            Console.note(
                "\(counted) more refusals were counted and are not listed one by one: see `purser ledger events`")
        }
        if payments.count == limit { Console.note("there may be more than \(limit): see --limit") }
    }

    private func show(_ payments: [PaymentRecord], _ totals: Totals) throws {
        let exposure = Exposure.sums(of: payments)
        guard !options.json else {
            return JSONOutput.object { text in
                text.objects("payments", payments) { PaymentOutput.write($1, to: &$0) }
                ExposureOutput.write(exposure, totals, to: &text)
            }
        }
        let tokens = try options.tokens()
        PaymentOutput.show(payments, untilWhen: true)
        ExposureOutput.show(exposure, tokens: tokens)
        ExposureOutput.show(totals, tokens: tokens)
    }
}

struct PaymentShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one payment and its history.")

    @Argument(help: "The payment: pay_ and 32 hex digits.", transform: Self.identifier)
    var payment: PaymentID

    @OptionGroup var options: StateOptions

    @Sendable private static func identifier(_ text: String) throws -> PaymentID {
        guard let id = PaymentID(text) else { throw ValidationError("`\(text)` is not pay_ and 32 hex digits.") }
        return id
    }

    func run() async throws {
        let (record, history) = try await options.withLedger { ledger in
            guard let record = try await ledger.payment(payment) else {
                throw LedgerError.unknownPayment(payment.description)
            }
            return (record, try await ledger.history(of: payment))
        }
        guard options.json else { return PaymentOutput.show(record, history: history) }
        JSONOutput.object { text in
            PaymentOutput.write(record, to: &text)
            text.objects("history", history) { PaymentOutput.write($1, to: &$0) }
        }
    }
}
