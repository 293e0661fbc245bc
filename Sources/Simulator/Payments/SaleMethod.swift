import Ethereum
import X402

/// How the simulated gateway lets itself be paid; each of its routes has one.
enum SaleMethod: Sendable, CaseIterable {
    /// Scheme `exact`, by the token's own `transferWithAuthorization`.
    case eip3009
    /// Scheme `exact`, by Permit2 and the proxy that enforces the payee.
    case permit2
    /// Scheme `upto`, by Permit2 and the proxy that enforces payee and facilitator: the price is a maximum.
    case upto

    /// The scheme as an entry says it.
    var scheme: String { self == .upto ? "upto" : "exact" }

    /// How a token has to move to be taken.
    var transfer: TransferMethod { self == .eip3009 ? .eip3009 : .permit2 }

    /// The only account that may settle `upto` payments: one of the simulator's own, of which nobody has the key.
    static let facilitator = Address(lastBytesOf: Keccak256.hash("Purser simulator: facilitator"))
}
