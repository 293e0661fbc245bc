import ArgumentParser
import Daemon

/// The command `purser wallet approve`.
struct WalletApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Let Permit2 move a token of a wallet, up to an amount.",
        discussion: """
            Payments through Permit2 need an allowance, which takes a transaction of the wallet's own and a little of the \
            chain's coin. Without --send it is only worked out and shown: nothing is signed. With --send the wallet is \
            opened by its passphrase of the configuration, the transaction is sent to the endpoints of `chains`, and the \
            command waits until it is done. Nothing is signed while the wallet or everything is frozen, and each signature \
            is an entry of the journal first. --amount 0 takes an allowance back.
            """)

    @Argument(help: "The wallet's name in the configuration.")
    var name: String

    @Option(help: ArgumentHelp("The network, such as eip155:56.", valueName: "network"))
    var network: String

    @Option(help: ArgumentHelp("The token: a symbol or an address of the asset table.", valueName: "token"))
    var asset: String

    @Option(help: ArgumentHelp("How much may be moved in all, such as 25.00.", valueName: "amount"))
    var amount: String?

    @Flag(help: "Let everything be moved, for ever, by whoever gets a signature of this wallet for Permit2.")
    var unlimited = false

    @Option(
        help: ArgumentHelp(
            "Another spender, which `chains` has to list under `spenders`; Permit2 without it.", valueName: "address"))
    var spender: String?

    @Option(
        help: ArgumentHelp(
            "The most that one transaction may cost, in the chain's coin.",
            valueName: "coins"))
    var maxCost = ApprovalOrder.standardCostLimit

    @Flag(
        help: """
            Sign although transactions of the account are on their way: this one then waits for them, and stays valid \
            until they come.
            """)
    var allowGap = false

    @Flag(help: "Sign and send.")
    var send = false

    @OptionGroup var accepted: AcceptedAddresses
    @OptionGroup var options: StateOptions

    func validate() throws {
        guard (amount != nil) != unlimited else { throw ValidationError("Say either an --amount or --unlimited.") }
    }

    func run() async throws {
        let state = try options.existing()
        let configuration = try state.loadConfiguration()
        let order = try ApprovalOrder(
            wallet: name, network: network, asset: asset, amount: amount.map { .text($0) } ?? .unlimited,
            spender: spender, costLimit: maxCost, configuration: configuration)
        let owner = try ApprovalWallet.owner(name, configuration, state: state)
        if order.isUnlimited {
            Console.note(
                "unlimited: every signature of this wallet for Permit2 can then move all that it will ever hold")
        }
        try await ApprovalDesk.open(order.network, configuration, state: state, clock: SystemClock()) { desk in
            let plan = try await desk.plan(order, owner: owner)
            if !options.json { ApprovalOutput.show(plan) }
            var hashes: [String] = []
            if send, !plan.steps.isEmpty {
                try await Books.with(state) { books in
                    let recognition = WalletRecognition(
                        books: books, accepted: accepted.accounts, actor: Operator.name, clock: SystemClock(),
                        warn: { Console.note($0) })
                    let signer = try await ApprovalWallet.signer(
                        name, configuration, state: state, random: SystemSources.random, recognition: recognition)
                    try await desk.send(
                        plan, by: ApprovalWallet.signing(as: name, with: signer, books: books, clock: SystemClock()),
                        allowsGap: allowGap
                    ) { hash in
                        hashes.append("\(hash)")
                        Console.note("sent \(hash)")
                    }
                }
            }
            if options.json {
                JSONOutput.object { ApprovalOutput.write(plan, sent: hashes, isDone: send, to: &$0) }
            } else {
                ApprovalOutput.conclude(plan, sent: hashes, isDone: send)
            }
        }
    }
}

/// The command `purser wallet allowance`.
struct WalletAllowanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allowance", abstract: "Show what a wallet has of a token, and what Permit2 may move of it.")

    @Argument(help: "The wallet's name in the configuration.")
    var name: String

    @Option(help: ArgumentHelp("The network, such as eip155:56.", valueName: "network"))
    var network: String

    @Option(help: ArgumentHelp("The token: a symbol or an address of the asset table.", valueName: "token"))
    var asset: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state = try options.existing()
        let configuration = try state.loadConfiguration()
        let order = try ApprovalOrder(
            wallet: name, network: network, asset: asset, amount: .text("0"), spender: nil,
            costLimit: ApprovalOrder.standardCostLimit, configuration: configuration)
        let owner = try ApprovalWallet.owner(name, configuration, state: state)
        try await ApprovalDesk.open(order.network, configuration, state: state, clock: SystemClock()) { desk in
            let standing = try await desk.standing(order, owner: owner)
            if options.json {
                JSONOutput.object { ApprovalOutput.write(standing, order, to: &$0) }
            } else {
                ApprovalOutput.show(standing, order)
            }
        }
    }
}
