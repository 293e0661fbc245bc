import Chain
package import Ethereum
package import Ledger
package import Payments
import Policy
package import Primitives
package import Wallets
import X402

/// How long a command waits for blocks.
package struct ApprovalPatience: Sendable, Hashable {
    /// Between two looks, in milliseconds.
    package let pause: Int64
    /// Looks for one thing.
    package let looks: Int

    /// Every two seconds, for three minutes.
    package static let standard = ApprovalPatience(pause: 2000, looks: 90)

    /// Makes a patience.
    package init(pause: Int64, looks: Int) {
        self.pause = pause
        self.looks = looks
    }
}

extension ApprovalDesk {
    /// Signs and sends a plan's transactions one after the other, waits for each, and reads the allowance back.
    ///
    /// `sent` is told each hash as soon as an endpoint has taken the transaction. A plan with a gap is sent only where
    /// `allowsGap` says so. Throws ``ApprovalFailure``, ``ApprovalStopped``, a signing error, ``ChainError``, or what the
    /// books throw; what was sent until then is sent.
    package func send(
        _ plan: ApprovalPlan, by signing: ApprovalSigning, allowsGap: Bool = false,
        patience: ApprovalPatience = .standard,
        sent: (Bytes32) -> Void
    ) async throws {
        guard signing.signer.address == plan.owner else { throw ApprovalFailure.otherAccount }
        guard plan.isAffordable else {
            throw ApprovalFailure.unaffordable(cost: plan.cost ?? .max, coins: plan.coins)
        }
        guard plan.next.gap == 0 || allowsGap || plan.steps.isEmpty else { throw ApprovalFailure.gap(plan.next) }
        for (index, planned) in plan.steps.enumerated() {
            // What could only be guessed before the first one was done is worked out now.
            var step = planned
            if index > 0 {
                let offer = try await offer(plan.order, owner: plan.owner, amount: planned.amount)
                step = try approval(
                    plan.order, amount: planned.amount, nonce: planned.transaction.nonce, fee: offer.fee,
                    gas: offer.gas)
            }
            let signed = try await signing.sign(step)
            try await reader.send(signed, at: clock.now())
            sent(signed.hash)
            try await signing.sent(signed.hash, of: step)
            try await wait(for: signed.hash, patience)
        }
        try await confirm(plan, patience)
    }

    /// Asks for the receipt again and again: JSON-RPC has no question that waits for one.
    private func wait(for hash: Bytes32, _ patience: ApprovalPatience) async throws {
        for _ in 0..<patience.looks {
            try await Task.sleep(for: .milliseconds(patience.pause))
            // An endpoint that stumbles while a transaction is on its way is asked again.
            guard let receipt = try? await reader.receipt(of: hash, at: clock.now()) else { continue }
            guard receipt.succeeded else { throw ApprovalFailure.failed(transaction: hash) }
            return
        }
        throw ApprovalFailure.unconfirmed(transaction: hash)
    }

    /// Reads the allowance until it is what was wanted: endpoints learn of a block one after the other.
    private func confirm(_ plan: ApprovalPlan, _ patience: ApprovalPatience) async throws {
        var last: UInt256?
        for _ in 0..<min(patience.looks, 15) {
            let standing = try? await standing(
                of: plan.owner, token: plan.order.token.address, spender: plan.order.spender)
            guard standing?.allowance != plan.order.amount else { return }
            last = standing?.allowance ?? last
            try await Task.sleep(for: .milliseconds(patience.pause))
        }
        guard let last else {
            _ = try await standing(of: plan.owner, token: plan.order.token.address, spender: plan.order.spender)
            return
        }
        throw ApprovalFailure.otherAllowance(last)
    }
}

/// Opens the wallet that an approval is signed with.
package enum ApprovalWallet {
    /// The account that a configured wallet's keystore states.
    ///
    /// Throws ``OperatorMistake`` for a wallet that is not configured, or whose keystore states none.
    package static func owner(
        _ name: String, _ configuration: Configuration, state: StateDirectory
    ) throws -> Address {
        let entry = try entry(name, configuration)
        guard let address = try WalletFile.read(path: state.path(entry.keystore)).address else {
            throw OperatorMistake(
                "the keystore of wallet `\(name)` states no address: `purser wallet import NAME --keystore FILE` adds it"
            )
        }
        return address
    }

    /// The wallet's key; takes as long as its derivation.
    ///
    /// Throws ``StartFailure`` when the keystore cannot be opened, or opens another account than the books know under the
    /// wallet's name and `recognition` does not accept that.
    package static func signer(
        _ name: String, _ configuration: Configuration, state: StateDirectory, random: any RandomSource,
        recognition: WalletRecognition
    ) async throws -> any Signer {
        let key = try Unlocking.open(
            entry(name, configuration), path: { state.path($0) },
            context: Secp256k1Context(seed: random.bytes32()))
        try await recognition.check(key.address, of: name)
        return key
    }

    /// The way to the wallet's key, for approvals that the user of this process asks for.
    package static func signing(
        as name: String, with signer: any Signer, books: any LedgerStore, clock: any WallClock
    ) -> ApprovalSigning {
        ApprovalSigning(signer: signer, of: name, books: books, actor: Operator.name, clock: clock)
    }

    private static func entry(
        _ name: String, _ configuration: Configuration
    ) throws(OperatorMistake) -> Configuration.WalletEntry {
        guard let entry = configuration.wallets.first(where: { $0.name == name }) else {
            throw OperatorMistake("the configuration has no wallet `\(name)`")
        }
        return entry
    }
}
