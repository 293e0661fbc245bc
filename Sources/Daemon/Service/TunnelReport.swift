import Primitives
import Proxy

/// What a daemon tells of its open tunnels and switched connections, in a file that other processes read.
package struct TunnelReport: Sendable, Equatable {
    /// The daemon's process.
    package let process: Int32
    /// When it was written, RFC 3339.
    package let at: String
    /// The newest change in the books that all open tunnels have been held against.
    package let generation: UInt64
    /// What is open, in order; no more rows than ``rowLimit``.
    package let open: [Row]
    /// How many were ended since the daemon's start because their right had ended, by reason.
    package let ended: [String: Int]
    /// How many were ended under each freeze in force, by its scope.
    package let endedUnder: [String: Int]

    /// Tunnels of one agent and kind to one destination.
    package struct Row: Sendable, Equatable {
        /// The agent's name.
        package let agent: String
        /// `tunnel`, `terminated` or `switched`.
        package let kind: String
        /// The gateway it leads to, or one at the address it leads to; nil where there is none.
        package let gateway: String?
        /// The host and port that the agent named; nil for a gateway that it named by its path.
        package let host: String?
        /// How many there are, at least 1.
        package let count: Int
    }

    /// Rows that are written at most: an agent chooses which hosts it names.
    package static let rowLimit = 1000

    init(process: Int32, at: String, tunnels: TunnelSnapshot) {
        self.init(
            process: process, at: at, generation: tunnels.generation,
            open: tunnels.open.prefix(Self.rowLimit).map {
                Row(agent: $0.agent, kind: $0.kind, gateway: $0.gateway, host: $0.host, count: $0.count)
            }, ended: tunnels.ended, endedUnder: tunnels.endedUnder)
    }

    private init(
        process: Int32, at: String, generation: UInt64, open: [Row], ended: [String: Int], endedUnder: [String: Int]
    ) {
        self.process = process
        self.at = at
        self.generation = generation
        self.open = open
        self.ended = ended
        self.endedUnder = endedUnder
    }

    /// The report as it stands in the state directory.
    var text: String {
        var text = JSONText()
        text.object { object in
            object.field("process", Int64(process))
            object.field("at", at)
            object.field("generation", Int64(clamping: generation))
            object.array("open") { list in
                for row in open {
                    list.object { member in
                        member.field("agent", row.agent)
                        member.field("kind", row.kind)
                        member.field("gateway", optional: row.gateway)
                        member.field("host", optional: row.host)
                        member.field("count", Int64(row.count))
                    }
                }
            }
            Self.write(ended, as: "ended", to: &object)
            Self.write(endedUnder, as: "ended_under", to: &object)
        }
        return text.string + "\n"
    }

    private static func write(_ counts: [String: Int], as name: String, to text: inout JSONText) {
        text.object(name) { object in
            for (key, count) in counts.sorted(by: { $0.key < $1.key }) { object.field(key, Int64(count)) }
        }
    }

    /// Reads such a text; nil for anything else.
    init?(_ text: String) {
        guard let object = try? JSONReader.read(Array(text.utf8)),
            let process = object["process"]?.integer.flatMap({ Int32(exactly: $0) }), let at = object["at"]?.string,
            let generation = object["generation"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let rows = object["open"]?.elements, let ended = Self.counts(object["ended"]),
            let endedUnder = Self.counts(object["ended_under"])
        else { return nil }
        let open = rows.compactMap { row -> Row? in
            guard let agent = row["agent"]?.string, let kind = row["kind"]?.string,
                let count = row["count"]?.integer.flatMap({ Int(exactly: $0) })
            else { return nil }
            return Row(
                agent: agent, kind: kind, gateway: row["gateway"]?.string, host: row["host"]?.string, count: count)
        }
        self.init(
            process: process, at: at, generation: generation, open: open, ended: ended, endedUnder: endedUnder)
    }

    private static func counts(_ value: JSONValue?) -> [String: Int]? {
        guard let members = value?.members else { return nil }
        var counts: [String: Int] = [:]
        for member in members {
            guard let count = member.value.integer.flatMap({ Int(exactly: $0) }) else { return nil }
            counts[member.key] = count
        }
        return counts
    }

    /// The report of the daemon that serves a state directory now; nil where none does, or it has told nothing yet.
    static func read(in state: StateDirectory) -> TunnelReport? {
        guard case .running(let process?) = DaemonPresence.look(at: state) else { return nil }
        return read(of: process, in: state)
    }

    /// The report of one process; nil where there is none of it.
    static func read(of process: Int32, in state: StateDirectory) -> TunnelReport? {
        guard let text = try? FileSystem.readText(state.tunnelFile), let report = TunnelReport(text),
            report.process == process
        else { return nil }
        return report
    }

    func write(in state: StateDirectory) throws(StateDirectoryError) {
        try FileSystem.writeText(text, to: state.tunnelFile, replacing: true)
    }
}
