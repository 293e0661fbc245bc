import Primitives

extension PaymentRequirement {
    /// The members of `extra`, of which each method reads its own; those that no method reads are left out.
    package struct Extra: Sendable, Equatable {
        /// A member that is read.
        ///
        /// Raw values are the keys of the seller.
        package enum Key: String, Sendable, CaseIterable {
            case name, version, decimals, assetTransferMethod, paymentFlow, verifyingContract
            case facilitatorAddress, spender, permit2Spender, spenderAddress
            case permitNonce, nonce, deadline, validAfter
        }

        /// Texts, and the text of numbers; what is there and is neither is an empty text, which no check lets pass.
        private var members: [Key: String] = [:]
        private var numbers: Set<Key> = []

        /// Two of one key would have two readings.
        static let outline = JSONOutline.members(Key.allCases.map { ($0.rawValue, .scalar) })

        /// Makes an empty `extra`.
        package init() {}

        init(_ members: [JSONMember]) {
            for member in members where !member.value.isNull {
                guard let key = Key(rawValue: member.key) else { continue }
                if let number = member.value.numberText {
                    numbers.insert(key)
                    self.members[key] = number
                } else {
                    self.members[key] = member.value.string ?? ""
                }
            }
        }

        /// A member that may be written as a text or as a number; nil when absent or `null`, empty when it is neither.
        package subscript(key: Key) -> String? { members[key] }

        /// A member that must be a text; empty when it is anything else.
        private func text(_ key: Key) -> String? { numbers.contains(key) ? "" : members[key] }

        /// The token's EIP-712 domain name, a claim to check.
        package var name: String? { text(.name) }

        /// The token's EIP-712 domain version, a claim to check; a number counts as its text.
        ///
        /// Only numbers of digits alone do: of `1.0` and `1e0` programs print different texts.
        package var version: String? {
            guard numbers.contains(.version) else { return members[.version] }
            return members[.version].map { $0.utf8.allSatisfy(\.isASCIIDigit) ? $0 : "" }
        }

        /// The way the token moves, `eip3009` when absent.
        package var assetTransferMethod: String? { text(.assetTransferMethod) }
        /// `authorization` when absent.
        package var paymentFlow: String? { text(.paymentFlow) }
        /// Set by sellers whose signature is not for the token, such as Circle Gateway.
        package var verifyingContract: String? { text(.verifyingContract) }
        /// The token's decimals, a claim to check.
        package var decimals: String? { self[.decimals] }
    }
}
