package import Policy
package import Primitives
import X402

/// Where a command finds the policy that it is about.
package enum PolicySource {
    /// The policy of a named file, or of the state directory; its tests are not run.
    ///
    /// Throws what ``PolicyFile/init(path:table:)`` does, and `missing` where there is no file.
    package static func read(_ file: String?, state: StateDirectory, table: AssetTable) throws -> PolicyFile {
        try PolicyFile(path: file ?? state.policyFile, table: table)
    }

    /// A payment as it is described on a command line, worked out with the table.
    ///
    /// `amount` is in whole tokens such as `0.01`. Throws ``OperatorMistake`` for what can mean no payment.
    package static func subject(
        _ request: GateRequest, asset: String, network: String, payee: String, amount: String,
        scheme: String, method: String?, window: Int64, payeeIsNew: Bool, priceRatio: String?, time: Timestamp,
        table: AssetTable
    ) throws(OperatorMistake) -> PolicySubject {
        let tokens = TokenNames(table)
        let token = try tokens.token("\(network)/\(asset)")
        guard let row = table.asset(named: token.name) else {
            throw OperatorMistake("`\(asset)` on \(network) is in no table")
        }
        guard let payee = PolicyParser.address(payee) else {
            throw OperatorMistake("`\(payee)` is not \(PolicyParser.addressForm)")
        }
        guard let units = token.amount(amount), units.isExact,
            let value = TokenAmount.dollars(of: units.units, decimals: row.decimals, par: row.par)
        else { throw OperatorMistake("`\(amount)` is not an amount of \(row.symbol) such as `0.01`") }
        var ratio: Fact<Int64> = request.model.isUnknown ? .unknown : .absent
        if let priceRatio {
            ratio = Fact(PolicyParser.hundredths(priceRatio))
            if ratio == .absent { throw OperatorMistake("`\(priceRatio)` is not a factor such as `1.5x`") }
        }
        return PolicySubject(
            request: request, scheme: scheme,
            paymentMethod: method ?? "\(scheme)-\(scheme == "exact" ? row.transfer.rawValue : "permit2")",
            network: row.network, symbol: row.symbol, asset: row.addressText, payee: payee, amount: units.units,
            value: value, window: window, payeeIsNew: payeeIsNew, priceRatio: ratio, time: time)
    }
}
