import Ethereum
import Ledger
import Synchronization

/// Whose turn it is to have a sponsored approval under way.
///
/// Each carries the next number of the payer's permits or transactions, so of two at once one would fail. A payment holds
/// its account's turn until its outcome is on its way into the books; whoever waits then goes on, the first first.
final class ApprovalTurns: Sendable {
    /// An account on one network.
    struct Account: Hashable {
        let network: String
        let payer: Address
    }

    private struct State {
        /// Who waits for each account whose turn is taken.
        var waiting: [Account: [CheckedContinuation<Bool, Never>]] = [:]
        var holders: [PaymentID: Account] = [:]
    }

    /// How many may wait for an account's turn: each waits for the seller's answers to all before it.
    static let limit = 8

    private let state = Mutex(State())

    /// Waits for an account's turn and takes it; false when too many wait already.
    func take(_ account: Account) async -> Bool {
        await withCheckedContinuation { (done: CheckedContinuation<Bool, Never>) in
            let isDecided = state.withLock { state -> Bool? in
                guard let waiting = state.waiting[account] else {
                    state.waiting[account] = []
                    return true
                }
                guard waiting.count < Self.limit else { return false }
                state.waiting[account]?.append(done)
                return nil
            }
            if let isDecided { done.resume(returning: isDecided) }
        }
    }

    /// How many wait for an account's turn.
    func waiting(for account: Account) -> Int { state.withLock { $0.waiting[account]?.count ?? 0 } }

    /// Says which payment a taken turn is for: ``end(_:)-(PaymentID)`` ends it.
    func assign(_ account: Account, to payment: PaymentID) {
        state.withLock { $0.holders[payment] = account }
    }

    /// Ends the turn that a payment holds, if it holds one.
    func end(_ payment: PaymentID) {
        guard let account = state.withLock({ $0.holders.removeValue(forKey: payment) }) else { return }
        end(account)
    }

    /// Ends a turn, which goes to whoever has waited the longest.
    func end(_ account: Account) {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let waiting = state.waiting[account], let first = waiting.first else {
                state.waiting[account] = nil
                return nil
            }
            state.waiting[account] = Array(waiting.dropFirst())
            return first
        }
        next?.resume(returning: true)
    }
}
