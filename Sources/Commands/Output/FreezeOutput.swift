import Daemon
import Ledger
import Primitives

/// Freezes, for people and for programs.
enum FreezeOutput {
    /// Adds a freeze's members to an object.
    static func write(_ freeze: Freeze, to text: inout JSONText) {
        text.field("frozen", freeze.scope.description)
        text.field("since", freeze.since.description)
        text.field("by", freeze.actor)
        text.field("reason", optional: freeze.reason)
    }

    /// When, by whom and why.
    static func words(on freeze: Freeze) -> String {
        let reason = freeze.reason.map { ": " + Printable.text($0) } ?? ""
        return "since \(freeze.since) by \(freeze.actor)\(reason)"
    }

    /// What became of open tunnels.
    static func words(on ended: EndedTunnels) -> String {
        switch ended {
        case .ended(let count): "Tunnels and switched connections ended under it: \(count)."
        case .noDaemon: "No daemon is running, so no tunnel was open."
        case .untold:
            "The daemon has not said within three seconds which tunnels it ended; `purser status` lists what is open."
        }
    }

    /// Prints the authorizations that a freeze does not take back.
    static func show(live: [PaymentRecord]) {
        guard !live.isEmpty else {
            Console.print("No authorization that was handed out is still live.")
            return
        }
        Console.print("Still live: these were signed before and can be settled until their time is over.")
        Console.print("")
        var table = Table([
            ("PAYMENT", .left), ("AMOUNT", .right), ("AGENT", .left), ("GATEWAY", .left), ("PAYEE", .left),
            ("UNTIL", .left),
        ])
        for payment in live {
            table.add([
                payment.id.description, PaymentOutput.amount(of: payment), payment.purpose.agent,
                payment.purpose.gateway, payment.terms?.payTo ?? "", PaymentOutput.until(payment),
            ])
        }
        table.show()
    }
}
