import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import Transport

/// Tunnels: what opens them, and what leaves an agent's connection to one.
extension AgentConnection {
    /// When the certificate that the agent's connection was opened with ends, in seconds since the epoch.
    var certificateEnd: Int64? {
        if case .certificate(let certificate)? = peer { certificate.notAfter } else { nil }
    }

    /// What entitles an agent to a tunnel to a host.
    private func right(to request: TunnelRequest, _ kind: TunnelRight.Kind, agent: Agent) -> TunnelRight {
        TunnelRight(
            kind: kind, agent: agent.name, caller: request.caller, certificateEnd: certificateEnd,
            destination: .host(request.host, port: request.port))
    }

    /// What entitles an agent to a connection that may switch to another protocol.
    func right(to route: GatewayTable.Route, for caller: Caller, agent: Agent) -> TunnelRight {
        TunnelRight(
            kind: .switched, agent: agent.name, caller: caller, certificateEnd: certificateEnd,
            destination: route.host.map { .host($0, port: route.gateway.origin.port) } ?? .gateway(route.gateway),
            outerHost: binding.map { ($0.host, $0.port) })
    }

    /// What an agent is told that may not open a tunnel since something is frozen.
    func frozen(_ right: TunnelRight) -> Problem? {
        right.freeze(under: rules, agents: services.agents.latest).map { .frozen($0) }
    }

    func openTunnel(_ request: TunnelRequest, agent: Agent) {
        if let termination = rules.termination, termination.covers(request.host, port: request.port),
            rules.gateways.isGateway(Binding(request).origin)
                || rules.forward.allows(request.host, port: request.port, for: agent)
        {
            return terminate(request, by: termination, agent: agent)
        }
        guard rules.forward.allows(request.host, port: request.port, for: agent) else {
            return answer(.forwardNotAllowed(request.target, agent: agent.name), head: request.head)
        }
        let right = right(to: request, .tunnel, agent: agent)
        if let problem = frozen(right) { return answer(problem, head: request.head) }
        guard let slot = TunnelSlot(for: right, among: services.tunnels) else {
            return answer(.tooManyTunnels, head: request.head)
        }
        phase = .opening
        shared.connectTunnel(to: request, of: agent) { result in
            switch result {
            case .success((let channel, let end)):
                guard case .opening = self.phase, let context = self.context else {
                    return channel.close(promise: nil)
                }
                guard !self.isOwnListener(channel, port: request.port) else {
                    channel.close(promise: nil)
                    return self.answer(.loop, head: request.head)
                }
                context.writeAndFlush(
                    self.wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 Connection Established\r\n\r\n")),
                    promise: nil)
                self.handOver(to: end, in: slot)
            case .failure(let failure):
                guard case .opening = self.phase else { return }
                self.answer(.tunnel(failure, to: request.target), head: request.head)
            }
        }
    }

    /// Whether a tunnel would lead to one of our own listeners.
    private func isOwnListener(_ channel: any Channel, port: Int) -> Bool {
        rules.hosts.listens(on: port)
            && ConnectionReach.isThisMachine(from: channel.localAddress, to: channel.remoteAddress)
    }

    /// Ends TLS here, and serves what is inside.
    private func terminate(_ request: TunnelRequest, by termination: TLSTermination, agent: Agent) {
        guard let context else { return }
        let right = right(to: request, .terminated, agent: agent)
        if let problem = frozen(right) { return answer(problem, head: request.head) }
        guard let slot = TunnelSlot(for: right, among: services.tunnels) else {
            return answer(.tooManyTunnels, head: request.head)
        }
        guard shared.handshakes.admitsTunnel(of: agent.name) else {
            return answer(.tooManyHandshakes, head: request.head)
        }
        let handler: TLSHandler
        do {
            handler = try termination.context(for: request.host).makeServerHandler(for: request.host)
        } catch {
            services.logger.error(
                "TLS not ended", metadata: ["host": "\(request.host.text)", "problem": "\(error)"])
            return answer(
                Problem(
                    status: 502, code: "certificate-not-made",
                    detail: "The local authority cannot vouch for \(request.host.text); the daemon's log says why."),
                head: request.head)
        }
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 Connection Established\r\n\r\n")), promise: nil)
        // An earlier answer that was read slowly may have stopped it.
        setReading(true)
        forgetConnection()
        let rest = inbound
        inbound = ByteBuffer()
        do {
            let pipeline = context.pipeline.syncOperations
            let inner = AgentConnection(inside: self, for: Binding(request), slot: slot)
            try pipeline.addHandlers([handler, inner], position: .after(self))
            // From here on, not from the pipeline's head: the tunnel may be inside TLS itself.
            if rest.readableBytes > 0 {
                context.fireChannelRead(NIOAny(rest))
                context.fireChannelReadComplete()
            }
            pipeline.removeHandler(self, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    /// Leaves the connection to a tunnel, with what has been read already; `answer` is what its other end has said.
    func handOver(to upstream: TunnelEnd, in slot: TunnelSlot, answer: ByteBuffer = ByteBuffer()) {
        guard let context else { return upstream.cutOff() }
        let options = context.channel.syncOptions
        try? options?.setOption(.autoRead, value: false)
        try? options?.setOption(.allowRemoteHalfClosure, value: true)
        forgetConnection()
        // What passes unread shows no progress; an agent's tunnels are counted by themselves.
        place.progress.protect(true)
        let end = TunnelEnd()
        end.early = inbound
        upstream.early = answer
        inbound = ByteBuffer()
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(end, position: .after(self))
            // First: a tunnel that is ended as it opens must hear that its connection closed.
            pipeline.removeHandler(self, promise: nil)
            Tunnel.open(slot, agent: end, upstream: upstream, shared: shared)
        } catch {
            context.close(promise: nil)
            upstream.cutOff()
        }
    }
}

extension AgentConnection: TunnelHolder {
    /// Nothing was held back: each request inside is checked for itself.
    func begin() {}

    /// Serves no other request; an exchange that is under way comes to its end.
    func end(for ending: TunnelEnding) {
        isEnded = true
        switch phase {
        case .head, .handshake, .waiting: context?.close(promise: nil)
        case .identifying, .body, .answering, .opening, .lingering, .closed: break
        }
    }
}
