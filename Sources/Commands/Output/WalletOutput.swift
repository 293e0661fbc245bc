import Daemon
import Primitives

/// Wallets, for people and for programs.
enum WalletOutput {
    /// Adds a wallet's members to an object.
    static func write(_ wallet: WalletOverview, to text: inout JSONText) {
        text.field("wallet", wallet.name)
        text.field("address", optional: wallet.address)
        text.field("path", wallet.path)
        text.field("kdf", optional: wallet.derivation)
        text.field("configured", wallet.pay != nil)
        if let pay = wallet.pay { text.strings("pay", pay) }
        text.field("problem", optional: wallet.problem)
    }

    /// Prints wallets, one a line.
    static func show(_ wallets: [WalletOverview]) {
        guard !wallets.isEmpty else {
            Console.print("no wallets")
            return
        }
        var table = Table([("WALLET", .left), ("ADDRESS", .left), ("KEY DERIVATION", .left), ("PATH", .left)])
        for wallet in wallets {
            table.add([wallet.name, wallet.address ?? "", wallet.derivation ?? "unreadable", wallet.path])
        }
        table.show()
        for wallet in wallets {
            if let problem = wallet.problem { Console.note("wallet \(wallet.name): \(problem)") }
        }
    }

    /// Prints one wallet.
    static func show(_ wallet: WalletOverview) {
        var facts = [("wallet", wallet.name), ("address", wallet.address ?? "not stated"), ("path", wallet.path)]
        if let derivation = wallet.derivation { facts.append(("key derivation", derivation)) }
        facts.append(
            ("pays", wallet.pay.map { $0.isEmpty ? "nothing" : $0.joined(separator: ", ") } ?? "not configured"))
        if let problem = wallet.problem { facts.append(("problem", problem)) }
        Facts.show(facts.map { (name: $0.0, value: $0.1) })
    }
}
