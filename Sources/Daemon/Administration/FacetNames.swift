import Ethereum
package import Ledger
import Policy
import Transport
import X402

/// Which part of payments an operator means, checked and spelled as the books spell it.
package struct FacetNames: Sendable {
    private let tokens: TokenNames

    /// Reads facets with the tokens of a state directory.
    package init(tokens: TokenNames) {
        self.tokens = tokens
    }

    /// A gateway by its name.
    package func gateway(_ text: String) throws(OperatorMistake) -> CapFacet {
        guard NameRule.isName(text) else { throw OperatorMistake("`\(text)` cannot name a gateway") }
        return .gateway(text)
    }

    /// A host without a port.
    package func host(_ text: String) throws(OperatorMistake) -> CapFacet {
        guard let host = HostName(text) else {
            throw OperatorMistake("`\(text)` is not a host without a port, such as `api.example`")
        }
        return .host(host.text)
    }

    /// A payee by its address.
    package func payee(_ text: String) throws(OperatorMistake) -> CapFacet {
        guard let address = Address(hex: text), text.hasPrefix("0x") else {
            throw OperatorMistake("`\(text)` is not 0x and 40 hex digits")
        }
        guard Address.isChecksumValid(text) else {
            throw OperatorMistake("`\(text)` has a wrong checksum (EIP-55): look for a typing error")
        }
        return .payee(address.checksummed)
    }

    /// A token by its symbol or address.
    package func asset(_ text: String) throws(OperatorMistake) -> CapFacet {
        .asset(try tokens.token(text).name)
    }

    /// A network by its CAIP-2 name.
    package func network(_ text: String) throws(OperatorMistake) -> CapFacet {
        guard Asset.chainID(of: text) != nil else {
            throw OperatorMistake("`\(text)` is not a CAIP-2 network such as `eip155:42161`")
        }
        return .network(text)
    }
}
