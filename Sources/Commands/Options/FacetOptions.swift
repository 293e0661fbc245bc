import ArgumentParser
import Daemon
import Ledger

/// Which part of a holder's payments a cap counts; without an option all of them.
struct FacetOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only payments through this gateway.", valueName: "name"))
    var gateway: String?

    @Option(help: ArgumentHelp("Only payments for requests to this host.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("Only payments to this account.", valueName: "address"))
    var payee: String?

    @Option(help: ArgumentHelp("Only payments in this token.", valueName: "network/symbol-or-address"))
    var asset: String?

    @Option(help: ArgumentHelp("Only payments on this network.", valueName: "eip155:n"))
    var network: String?

    func validate() throws {
        guard [gateway, host, payee, asset, network].count(where: { $0 != nil }) <= 1 else {
            throw ValidationError("Use one of --gateway, --host, --payee, --asset and --network.")
        }
    }

    /// The part, spelled as the books spell it; nil for all payments.
    func facet(_ tokens: TokenNames) throws(OperatorMistake) -> CapFacet? {
        let names = FacetNames(tokens: tokens)
        if let gateway { return try names.gateway(gateway) }
        if let host { return try names.host(host) }
        if let payee { return try names.payee(payee) }
        if let asset { return try names.asset(asset) }
        if let network { return try names.network(network) }
        return nil
    }

    /// The token that amounts may be written in.
    func token(_ tokens: TokenNames) throws(OperatorMistake) -> TokenNames.Token? {
        guard let asset else { return nil }
        return try tokens.token(asset)
    }
}
