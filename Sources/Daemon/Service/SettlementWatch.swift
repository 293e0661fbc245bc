package import Chain
import Ethereum
package import Logging
package import Payments
package import Primitives
import X402

/// The chain reader as the witness of what payments of scheme `upto` moved.
package struct SettlementWatch: SettlementWitness {
    private let reader: ChainReader
    private let search: TransferSearch?
    private let clock: any WallClock
    private let logger: Logger

    /// Makes a witness of one network; without a search only transactions that sellers name are looked at.
    package init(reader: ChainReader, search: TransferSearch? = .standard, clock: any WallClock, logger: Logger) {
        self.reader = reader
        self.search = search
        self.clock = clock
        self.logger = logger
    }

    package func settledAmount(of probe: SettlementProbe) async throws -> Payments.SettledAmount? {
        guard let question = SettlementQuestion(probe) else { return nil }
        let finding = try await reader.settlement(of: question, search: search, at: clock.now())
        guard case .settled(let settled) = finding else {
            logger.debug("settled amount not shown", metadata: ["nonce": "\(probe.nonce)", "finding": "\(finding)"])
            return nil
        }
        return Payments.SettledAmount(
            amount: settled.amount, transaction: "\(settled.transaction)", block: settled.block, time: settled.time,
            binding: settled.binding.rawValue)
    }
}

extension SettlementQuestion {
    /// The question behind a probe; nil for addresses that are none, and for a window that no second is in.
    package init?(_ probe: SettlementProbe) {
        guard let token = Address(hex: probe.token), let payer = Address(hex: probe.payer),
            let payee = Address(hex: probe.payee), probe.validBefore > 0, probe.validAfter < probe.validBefore - 1
        else { return nil }
        let named = probe.transaction.flatMap { text in
            text.hasPrefix("0x") ? Hex.decode(text).flatMap { Bytes32($0) } : nil
        }
        // The books have an open window, the proxy a closed one.
        self.init(
            route: TransferRoute(token: token, from: payer, to: payee), nonce: probe.nonce,
            spender: UptoPermit2.proxy, maximum: probe.maximum,
            window: probe.validAfter + 1...probe.validBefore - 1, transaction: named)
    }
}
