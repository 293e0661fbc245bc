import ArgumentParser
import Daemon
import Ledger

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

    @Flag(help: "Only those that may still be settled: reserved, rejected and in doubt.")
    var open = false

    @Option(help: ArgumentHelp("At most this many (up to \(PaymentFilter.maximumLimit)).", valueName: "n"))
    var limit = 1000

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard (1...PaymentFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(PaymentFilter.maximumLimit).")
        }
    }

    func run() async throws {
        let states = open ? Set(PaymentState.allCases.filter(\.isOpen)) : nil
        let filter = PaymentFilter(agent: agent, states: states, limit: limit)
        let payments = try await Books.with(try options.existing()) { try await $0.payments(filter) }
        if options.json {
            JSONOutput.array(payments) { PaymentOutput.write($1, to: &$0) }
        } else {
            PaymentOutput.show(payments)
        }
        if payments.count == limit { Console.note("there may be more than \(limit): see --limit") }
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
        let (record, history) = try await Books.with(try options.existing()) { ledger in
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
