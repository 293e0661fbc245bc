import ArgumentParser
import Daemon
import Ledger
import Primitives

struct LedgerAdjustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust", abstract: "Book money that came into a wallet or left it without a payment.",
        discussion: """
            opening is what a wallet held when its books began, top-up what was put into it since, write-off what left it \
            otherwise. No money moves, and no cap changes.
            """)

    @Argument(help: ArgumentHelp("opening, top-up or write-off.", valueName: "kind"), transform: Self.kind)
    var kind: Adjustment.Kind

    @Argument(help: ArgumentHelp("In whole tokens, such as 250 or 0.5USDT.", valueName: "amount"))
    var amount: String

    @Option(help: ArgumentHelp("The wallet.", valueName: "name"))
    var wallet: String

    @Option(help: ArgumentHelp("The token.", valueName: "network/symbol-or-address"))
    var asset: String

    @Option(help: "What for; kept in the journal.")
    var note: String?

    @OptionGroup var options: StateOptions

    @Sendable private static func kind(_ text: String) throws -> Adjustment.Kind {
        guard let kind = Adjustment.Kind(rawValue: text) else {
            throw ValidationError("`\(text)` is not one of opening, top-up, write-off.")
        }
        return kind
    }

    func run() async throws {
        let tokens = try options.tokens()
        let token = try tokens.token(asset)
        guard let reading = token.amount(amount), reading.isExact, !reading.units.isZero else {
            throw OperatorMistake(
                "`\(amount)` is not an amount above zero with at most \(token.decimals) decimals, such as 250")
        }
        guard let overview = try options.wallets().first(where: { $0.name == wallet }) else {
            throw CommandFailure(.missing, "there is no wallet `\(wallet)`")
        }
        guard let address = overview.address else {
            throw CommandFailure(.failed, "the keystore of wallet `\(wallet)` does not state its account")
        }
        let adjustment = Adjustment(
            kind: kind, wallet: address, asset: token.name, amount: reading.units, note: note)
        try await options.withLedger { ledger in
            try await ledger.adjust(adjustment, by: Operator.name, at: SystemClock().now())
        }
        if options.json {
            JSONOutput.object { text in
                text.field("kind", kind.rawValue)
                text.field("wallet", address)
                text.field("asset", token.name)
                text.field("amount", reading.units.description)
            }
        } else {
            Console.print(
                "Booked \(kind.rawValue) of \(tokens.text(of: reading.units, in: token.name)) for \(address).")
        }
    }
}
