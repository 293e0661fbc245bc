package import Ledger
package import Primitives

/// Where each agent's money stands, from the kept balances: as quick as there are accounts, however many payments.
package struct Totals: Sendable, Equatable {
    /// One agent in one token, in atomic units.
    package struct Row: Sendable, Equatable {
        /// The agent's name.
        package let agent: String
        /// The token as `network/address`.
        package let asset: String
        /// Settled or confirmed.
        package private(set) var settled = UInt256.zero
        /// Set aside: somebody may still take it.
        package private(set) var exposed = UInt256.zero
        /// Taken to be spent, unproven.
        package private(set) var presumed = UInt256.zero
        /// Everything that was ever set aside.
        package private(set) var reserved = UInt256.zero

        /// Set aside once and free again: voided, released or lapsed.
        package var released: UInt256 {
            reserved.subtracting(settled.saturatingSum(exposed).saturatingSum(presumed)) ?? .zero
        }

        fileprivate init(agent: String, asset: String) {
            self.agent = agent
            self.asset = asset
        }

        fileprivate mutating func add(_ balance: AccountBalance) {
            let amount = balance.debits.subtracting(balance.credits) ?? .zero
            switch balance.account {
            case .exposed:
                exposed = exposed.saturatingSum(amount)
                // Every payment comes into this account once, when it is reserved.
                reserved = reserved.saturatingSum(balance.debits)
            case .presumed: presumed = presumed.saturatingSum(amount)
            case .spent: settled = settled.saturatingSum(amount)
            case .wallet, .opening, .topUp, .writeOff, .metered, .prepaid: break
            }
        }
    }

    /// The rows by agent and token.
    package let rows: [Row]

    /// Reads the kept balances.
    package init(_ snapshot: any LedgerSnapshot) throws(LedgerError) {
        var rows: [[String]: Row] = [:]
        for balance in try snapshot.balances() {
            let agent: String
            switch balance.account {
            case .exposed(let name), .presumed(let name, _), .spent(let name, _): agent = name
            case .wallet, .opening, .topUp, .writeOff, .metered, .prepaid: continue
            }
            rows[[agent, balance.asset], default: Row(agent: agent, asset: balance.asset)].add(balance)
        }
        self.rows = rows.values.sorted { ($0.agent, $0.asset) < ($1.agent, $1.asset) }
    }
}
