package import Ledger
import Logging
import NIOCore
import Payments
import Primitives

/// Tunnels end when their right does: each is held against the rules and the books when it opens and at every review.
extension ProxyLoop {
    /// Lists a tunnel that opens, and has it begin once its right is known to hold by the newest books; ends it if the right
    /// has ended while it was being opened.
    func open(_ slot: TunnelSlot, as holder: any TunnelHolder, address: SocketAddress? = nil) {
        let key = ObjectIdentifier(slot)
        openSlots[key] = WeakSlot(slot: slot)
        slot.open(as: slot.right.entry(under: rules), holder: holder, address: address) { [weak self] in
            self?.openSlots[key] = nil
        }
        // Loaded after the tunnel was listed: every later change in the books makes the next review look at it.
        slot.openedAt = services.agents.currentGeneration
        let agents = services.agents.latest
        if agents.generation >= slot.openedAt {
            review(slot, due: .fresh, agents: agents)
        } else {
            reviewByNewestBooks(slot)
        }
    }

    /// Reviews a tunnel as soon as the books have been read again.
    private func reviewByNewestBooks(_ slot: TunnelSlot) {
        let bound = NIOLoopBound((shared: self, slot: WeakSlot(slot: slot)), eventLoop: loop)
        let (directory, loop) = (services.agents, loop)
        Task(executorPreference: executor) {
            // When the books cannot be read, the tunnel waits for the next review that can.
            guard let agents = try? await directory.refreshed() else { return }
            loop.execute {
                let (shared, weak) = bound.value
                if let slot = weak.slot { shared.review(slot, due: .fresh, agents: agents) }
            }
        }
    }

    /// Ends the tunnels of this loop whose right has ended; returns how many it ended.
    func review(due: OpenTunnels.Due, agents: AgentRegistry) -> Int {
        // Ending one changes the table.
        openSlots.values.compactMap(\.slot).count { review($0, due: due, agents: agents) }
    }

    @discardableResult
    private func review(_ slot: TunnelSlot, due: OpenTunnels.Due, agents: AgentRegistry) -> Bool {
        let ending = slot.review(due: due, rules: rules, agents: agents, at: services.clock.now().seconds)
        if let ending { log(ending, of: slot.right) }
        return ending != nil
    }

    /// Says that a tunnel was ended, and why.
    func log(_ ending: TunnelEnding, of right: TunnelRight) {
        services.logger.notice(
            "tunnel ended",
            metadata: [
                "agent": "\(right.agent)", "kind": "\(right.kind.rawValue)", "to": "\(right.target)",
                "reason": "\(ending.word)",
            ])
    }
}

/// A tunnel that its connections keep alive.
struct WeakSlot {
    weak var slot: TunnelSlot?
}

extension ProxyServer {
    /// Holds every open tunnel against the rules and the books as they are now, and ends those whose right has ended.
    ///
    /// Cheap when nothing has changed, unless `all` are to be looked at: one load and one short lock. Returns how many it
    /// ended; throws when the books cannot be read, and then the next review makes up for it.
    @discardableResult
    package func reviewTunnels(all: Bool = false) async throws(LedgerError) -> Int {
        let tunnels = services.tunnels
        let directory = services.agents
        let due = tunnels.beginReview(
            ofAll: all, generation: directory.currentGeneration, now: services.clock.now().seconds)
        guard due != .none else { return 0 }
        let agents: AgentRegistry
        do {
            agents = try await directory.refreshed()
        } catch {
            tunnels.reviewFailed()
            throw error
        }
        let ended = await loops.each { $0.review(due: due, agents: agents) }
        if due == .all { tunnels.reviewed(agents) }
        return ended.reduce(0, +)
    }

    /// The tunnels that are open, and how many were ended.
    package var tunnels: TunnelSnapshot { services.tunnels.snapshot }
}
