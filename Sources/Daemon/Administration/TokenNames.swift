import Ethereum
package import Ledger
package import Policy
package import Primitives
import X402

/// Tokens as operators and the books name them.
package struct TokenNames: Sendable {
    /// One token.
    package struct Token: Sendable, Hashable {
        /// `network/address`, as accounts and caps name it.
        package let name: String
        /// The family, `USDT`.
        package let symbol: String
        /// What the contract calls itself.
        package let tokenSymbol: String
        /// The decimals of amounts.
        package let decimals: Int
    }

    /// The rows behind the names.
    package let table: AssetTable
    private let byName: [String: Token]

    /// Names the tokens of a table.
    package init(_ table: AssetTable) {
        self.table = table
        let tokens = table.assets.map { Token($0) }
        byName = Dictionary(tokens.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The tokens of a state directory: the pinned ones, and the configuration's where it is right.
    package static func load(_ state: StateDirectory) throws -> TokenNames {
        if state.hasConfiguration, let configuration = try? state.loadConfiguration() {
            return TokenNames(configuration.assets)
        }
        return TokenNames(try AssetTable.pinned())
    }

    /// The token behind `network/symbol` or `network/address`; throws ``OperatorMistake`` where that is none or several.
    package func token(_ text: String) throws(OperatorMistake) -> Token {
        guard let rule = PayRule(text) else {
            throw OperatorMistake(
                "`\(text)` is not network/symbol or network/address, such as `eip155:42161/USDT`")
        }
        let matches = table.assets.filter(rule.matches)
        guard let match = matches.first else {
            throw OperatorMistake("`\(text)` is neither in the pinned table nor in `assets` of the configuration")
        }
        guard matches.count == 1 else {
            let addresses = matches.map(\.addressText).joined(separator: ", ")
            throw OperatorMistake("`\(text)` can mean several tokens: name one by its address (\(addresses))")
        }
        return Token(match)
    }

    /// The token of a name of the books; nil when it is in no table.
    package func known(_ name: String) -> Token? { byName[name] }

    /// An amount for people: `2.5 USDT` and the network, or atomic units and the name of a token in no table.
    package func text(of units: UInt256, in name: String) -> String {
        if name == MeteredCall.asset { return "\(units) \(name)" }
        guard let token = byName[name] else { return "\(units) units of \(name)" }
        return "\(TokenAmount.decimalText(of: units, decimals: token.decimals)) \(token.symbol)"
    }

    /// A token for people: `eip155:42161/USDT`, or its name where it is in no table or shares its symbol.
    package func label(of name: String) -> String {
        guard let token = byName[name], let network = name.split(separator: "/").first else { return name }
        let label = "\(network)/\(token.symbol)"
        return (try? self.token(label)) == token ? label : name
    }
}

extension TokenNames.Token {
    fileprivate init(_ asset: Asset) {
        self.init(
            name: asset.name, symbol: asset.symbol, tokenSymbol: asset.tokenSymbol,
            decimals: asset.decimals)
    }

    /// Reads `2.5` or `2.5USDT` in atomic units; nil for what is no amount of this token.
    package func amount(_ text: some StringProtocol) -> TokenAmount.Reading? {
        var number = Substring(text)
        for suffix in [symbol, tokenSymbol] where number.hasSuffix(suffix) {
            number = number.dropLast(suffix.count)
            break
        }
        return TokenAmount.read(number, decimals: decimals)
    }

    /// Reads a limit such as `day=2.5USDT`, rounded down against whoever wants to spend; nil for anything else.
    package func limit(_ text: String) -> CapLimit? {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let window = CapWindow(parts[0]),
            [symbol, tokenSymbol].contains(where: { parts[1].hasSuffix($0) }), let amount = amount(parts[1])
        else { return nil }
        return CapLimit(window, .units, amount.units)
    }
}
