import GRDB
import Ledger
import Primitives

/// Rows of `rejecting_gateways`, `rejecting_agents` and `rejecting_routes`.
enum RejectionRows {
    /// What a gateway rejected; where nothing is kept it costs one search.
    static func find(_ gateway: String, in database: Database) throws(Fault) -> GatewayRejections {
        let agents = try agents(at: gateway, in: database)
        guard !agents.isEmpty else { return GatewayRejections() }
        var query = try Prepared("SELECT pause, next_probe FROM rejecting_gateways WHERE gateway = ?", in: database)
        query.bind(gateway)
        let probes = try query.step() ? try probes(&query, gateway) : nil
        return GatewayRejections(agents: agents, probes: probes)
    }

    /// What all gateways rejected, by name.
    static func all(in database: Database) throws(Fault) -> [String: GatewayRejections] {
        var names: [String] = []
        do {
            var query = try Prepared("SELECT DISTINCT gateway FROM rejecting_agents", in: database)
            while try query.step() { names.append(query.text()) }
        }
        var found: [String: GatewayRejections] = [:]
        for name in names { found[name] = try find(name, in: database) }
        return found
    }

    /// The number of the first entry that is counted.
    static func firstCounted(in database: Database) throws(Fault) -> Int64 {
        var query = try Prepared("SELECT first FROM rejections_counted", in: database)
        guard try query.step() else { throw .step(.damaged("it is not kept since when rejections are counted")) }
        return query.integer()
    }

    private static func agents(
        at gateway: String, in database: Database
    ) throws(Fault) -> [String: AgentRejections] {
        var query = try Prepared(
            """
            SELECT agent, epoch, fresh_routes, exposed, cause, since, outweighed, outweighed_by, unfunded, pause,
                next_probe
            FROM rejecting_agents WHERE gateway = ?
            """, in: database)
        query.bind(gateway)
        var found: [String: AgentRejections] = [:]
        while try query.step() {
            let name = query.text()
            let (epoch, fresh) = (query.integer(), query.integer())
            guard let exposed = Dollars(nanodollars: query.integer()), epoch >= 0, fresh >= 0 else {
                throw damaged(gateway)
            }
            var stop: AgentRejections.Stop?
            if !query.skipNull() {
                guard let cause = AgentRejections.Cause(rawValue: query.text()) else { throw damaged(gateway) }
                let since = query.timestamp()
                let (isOutweighed, by) = (query.integer() != 0, query.optionalText())
                let saysUnfunded = query.integer() != 0
                guard isOutweighed || by == nil else { throw damaged(gateway) }
                stop = AgentRejections.Stop(
                    cause: cause, since: since,
                    accepted: isOutweighed ? by.map(AcceptedAgents.only) ?? .several : .none,
                    saysUnfunded: saysUnfunded, probes: try probes(&query, gateway))
            }
            found[name] = AgentRejections(
                epoch: epoch, freshRoutes: fresh, exposed: exposed, stop: stop,
                routes: try routes(of: name, at: gateway, in: database))
        }
        return found
    }

    private static func routes(
        of agent: String, at gateway: String, in database: Database
    ) throws(Fault) -> [RejectedRoute: RouteStreak] {
        var query = try Prepared(
            """
            SELECT asset, route, rejections, epoch, rejected_at, unfunded, pause, next_probe
            FROM rejecting_routes WHERE gateway = ? AND agent = ?
            """, in: database)
        query.bind(gateway)
        query.bind(agent)
        var found: [RejectedRoute: RouteStreak] = [:]
        while try query.step() {
            let route = RejectedRoute(asset: query.text(), name: query.text())
            let (count, epoch, at) = (query.integer(), query.integer(), query.timestamp())
            let saysUnfunded = query.integer() != 0
            guard count > 0, epoch >= 0 else { throw damaged(gateway) }
            found[route] = RouteStreak(
                count: count, epoch: epoch, rejectedAt: at, saysUnfunded: saysUnfunded,
                probes: try probes(&query, gateway))
        }
        return found
    }

    private static func probes(_ query: inout Prepared, _ gateway: String) throws(Fault) -> ProbeSchedule {
        let pause = query.integer()
        guard (1...ProbeSchedule.longestPause).contains(pause) else { throw damaged(gateway) }
        return ProbeSchedule(pause: pause, next: query.timestamp())
    }

    private static func damaged(_ gateway: String) -> Fault {
        .step(.damaged("the rejections of gateway \"\(gateway)\" are not valid"))
    }
}

// MARK: Writing

extension RejectionRows {
    /// Writes what has changed of a gateway.
    static func write(
        _ new: GatewayRejections, over old: GatewayRejections, of gateway: String, in database: Database
    ) throws(Fault) {
        if new.probes != old.probes { try write(new.probes, of: gateway, in: database) }
        for name in Set(old.agents.keys).union(new.agents.keys) where old.agents[name] != new.agents[name] {
            let place = AgentPlace(gateway: gateway, agent: name)
            let (before, after) = (old.agents[name]?.routes ?? [:], new.agents[name]?.routes ?? [:])
            for route in before.keys where after[route] == nil { try remove(route, of: place, in: database) }
            for (route, streak) in after where before[route] != streak {
                try write(streak, on: route, of: place, in: database)
            }
            try write(new.agents[name], of: place, in: database)
        }
    }

    private struct AgentPlace {
        let gateway: String
        let agent: String
    }

    private static func write(
        _ probes: ProbeSchedule?, of gateway: String, in database: Database
    ) throws(Fault) {
        guard let probes else {
            var row = try Prepared("DELETE FROM rejecting_gateways WHERE gateway = ?", in: database)
            row.bind(gateway)
            return try row.run()
        }
        var row = try Prepared(
            "INSERT OR REPLACE INTO rejecting_gateways (gateway, pause, next_probe) VALUES (?, ?, ?)", in: database)
        row.bind(gateway)
        row.bind(probes.pause)
        row.bind(probes.next)
        try row.run()
    }

    private static func write(
        _ value: AgentRejections?, of place: AgentPlace, in database: Database
    ) throws(Fault) {
        guard let value else {
            var row = try Prepared("DELETE FROM rejecting_agents WHERE gateway = ? AND agent = ?", in: database)
            row.bind(place.gateway)
            row.bind(place.agent)
            return try row.run()
        }
        var row = try Prepared(
            """
            INSERT OR REPLACE INTO rejecting_agents (
                gateway, agent, epoch, fresh_routes, exposed, cause, since, outweighed, outweighed_by, unfunded, pause,
                next_probe)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, in: database)
        row.bind(place.gateway)
        row.bind(place.agent)
        row.bind(value.epoch)
        row.bind(value.freshRoutes)
        row.bind(value.exposed.nanodollars)
        row.bind(value.stop?.cause.rawValue)
        row.bind(value.stop?.since.milliseconds)
        row.bind(value.stop.map { $0.accepted == .none ? 0 : 1 })
        if case .only(let other) = value.stop?.accepted { row.bind(other) } else { row.bind(String?.none) }
        row.bind(value.stop.map { $0.saysUnfunded ? 1 : 0 })
        row.bind(value.stop?.probes.pause)
        row.bind(value.stop?.probes.next.milliseconds)
        try row.run()
    }

    private static func write(
        _ streak: RouteStreak, on route: RejectedRoute, of place: AgentPlace, in database: Database
    ) throws(Fault) {
        var row = try Prepared(
            """
            INSERT OR REPLACE INTO rejecting_routes (
                gateway, agent, asset, route, rejections, epoch, rejected_at, unfunded, pause, next_probe)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, in: database)
        row.bind(place.gateway)
        row.bind(place.agent)
        row.bind(route.asset)
        row.bind(route.name)
        row.bind(streak.count)
        row.bind(streak.epoch)
        row.bind(streak.rejectedAt)
        row.bind(streak.saysUnfunded ? 1 : 0)
        row.bind(streak.probes.pause)
        row.bind(streak.probes.next)
        try row.run()
    }

    private static func remove(
        _ route: RejectedRoute, of place: AgentPlace, in database: Database
    ) throws(Fault) {
        var row = try Prepared(
            "DELETE FROM rejecting_routes WHERE gateway = ? AND agent = ? AND asset = ? AND route = ?", in: database)
        row.bind(place.gateway)
        row.bind(place.agent)
        row.bind(route.asset)
        row.bind(route.name)
        try row.run()
    }
}
