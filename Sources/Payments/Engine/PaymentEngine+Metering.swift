package import Ledger
import Logging
import Primitives

extension PaymentEngine {
    /// Books a call of a gateway that bills a prepaid balance, before it is made; returns why it must not be made.
    package func meter(_ call: MeteredCall) async -> MeteringFailure? {
        do {
            switch try await store.meter(call, at: clock.now()) {
            case .booked(_, let warnings):
                notices.warn(of: warnings, by: nil)
                return nil
            case .refused(let refusal):
                logger.info(
                    "call refused by the books",
                    metadata: ["agent": "\(call.agent)", "gateway": "\(call.gateway)", "code": "\(refusal.code)"])
                return .refused(refusal)
            }
        } catch {
            logger.error("ledger not writable", metadata: ["agent": "\(call.agent)", "problem": "\(error)"])
            return .notBooked
        }
    }

    /// Says to the operator that a prepaid gateway answered 402: what was paid in advance is used up.
    package func noticeLowBalance(of gateway: String) async {
        await notices.lowBalance(of: gateway, at: clock.now())
    }
}
