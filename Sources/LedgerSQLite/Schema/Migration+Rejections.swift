extension Migration {
    /// Counts rejections by agent, gateway, token and route, where version 0.1.0 counted by gateway and token.
    ///
    /// - `rejecting_agents`: what a gateway rejected of an agent's payments. `exposed` is the value of those that are
    ///   rejected now, in nano-dollars. The columns from `cause` on are the pause of the agent there.
    /// - `rejecting_routes`: rejections in a row by token and route, a bounded number for each agent.
    /// - `rejecting_gateways`: gateways that are paused for everybody.
    ///
    /// A gateway that was stopped in a token by three rejections or more stays stopped for the agents that still have a
    /// rejected payment in that token there, and for everybody where these are two; with its probes, and until a payment is
    /// accepted. Whom else it stopped had not been rejected, and is not stopped any more.
    static let rejections = Migration(number: 4, name: "rejections by agent and route", sql: tables + conversion)

    private static let tables = """
        CREATE TABLE rejecting_gateways (
            gateway TEXT PRIMARY KEY,
            pause INTEGER NOT NULL CHECK (pause > 0),
            next_probe INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE rejecting_agents (
            gateway TEXT NOT NULL,
            agent TEXT NOT NULL,
            epoch INTEGER NOT NULL CHECK (epoch >= 0),
            fresh_routes INTEGER NOT NULL CHECK (fresh_routes >= 0),
            exposed INTEGER NOT NULL CHECK (exposed >= 0),
            cause TEXT CHECK (cause IN ('routes', 'exposure')),
            since INTEGER,
            outweighed INTEGER CHECK (outweighed IN (0, 1)),
            unfunded INTEGER CHECK (unfunded IN (0, 1)),
            pause INTEGER CHECK (pause > 0),
            next_probe INTEGER,
            PRIMARY KEY (gateway, agent),
            CONSTRAINT pause_whole CHECK (
                (cause IS NULL) + (since IS NULL) + (outweighed IS NULL) + (unfunded IS NULL) + (pause IS NULL)
                + (next_probe IS NULL) IN (0, 6))
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE rejecting_routes (
            gateway TEXT NOT NULL,
            agent TEXT NOT NULL,
            asset TEXT NOT NULL,
            route TEXT NOT NULL CHECK (length(route) BETWEEN 1 AND 256),
            rejections INTEGER NOT NULL CHECK (rejections > 0),
            epoch INTEGER NOT NULL CHECK (epoch >= 0),
            rejected_at INTEGER NOT NULL,
            unfunded INTEGER NOT NULL CHECK (unfunded IN (0, 1)),
            pause INTEGER NOT NULL CHECK (pause > 0),
            next_probe INTEGER NOT NULL,
            PRIMARY KEY (gateway, agent, asset, route)
        ) STRICT, WITHOUT ROWID;

        """

    /// The first condition on the state is the one of the index `payments_attempts`, so that no other payment is read.
    private static let conversion = """
        INSERT INTO rejecting_agents (
            gateway, agent, epoch, fresh_routes, exposed, cause, since, outweighed, unfunded, pause, next_probe)
        SELECT p.gateway, p.agent, 0, 0, sum(p.nanodollars),
            CASE WHEN max(s.pause) IS NULL THEN NULL ELSE 'routes' END,
            CASE WHEN max(s.pause) IS NULL THEN NULL ELSE max(p.changed_at) END,
            CASE WHEN max(s.pause) IS NULL THEN NULL ELSE 0 END,
            CASE WHEN max(s.pause) IS NULL THEN NULL ELSE 0 END,
            max(s.pause), max(s.next_probe)
        FROM payments p INDEXED BY payments_attempts
        LEFT JOIN streaks s
            ON s.gateway = p.gateway AND s.asset = p.network || '/' || p.asset AND s.rejections >= 3
        WHERE (p.state = 'rejected' OR p.state = 'in-doubt') AND p.state = 'rejected'
        GROUP BY p.gateway, p.agent;

        INSERT INTO rejecting_gateways (gateway, pause, next_probe)
        SELECT gateway, max(pause), max(next_probe) FROM rejecting_agents WHERE cause IS NOT NULL
        GROUP BY gateway HAVING count(*) >= 2;

        DROP TABLE streaks;
        """
}
