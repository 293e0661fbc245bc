import ArgumentParser
import Daemon

/// The accounts that an operator takes although the books know others under the wallets' names.
struct AcceptedAddresses: ParsableArguments {
    @Option(
        name: .customLong("accept-address"),
        help: ArgumentHelp(
            "Take a wallet whose keystore opens this account although the ledger knows another one; may be repeated.",
            valueName: "address"))
    var texts: [String] = []

    func validate() throws {
        for text in texts where WalletRecognition.account(text) == nil {
            throw ValidationError("`\(text)` is no address, or has a wrong checksum (EIP-55).")
        }
    }

    /// The accounts, EIP-55.
    var accounts: Set<String> { Set(texts.compactMap(WalletRecognition.account)) }
}
