package import Primitives

/// What a daemon tells of the pots that its agents share, in a file that other processes read.
package struct PotReport: Sendable, Equatable {
    /// The daemon's process.
    package let process: Int32
    /// When it was written, RFC 3339.
    package let at: String
    /// The pots.
    package let pots: [PotSnapshot]

    /// Makes a report.
    init(process: Int32, at: String, pots: [PotSnapshot]) {
        self.process = process
        self.at = at
        self.pots = pots
    }

    /// The report as it stands in the state directory.
    var text: String {
        var text = JSONText()
        text.object { object in
            object.field("process", Int64(process))
            object.field("at", at)
            object.array("pots") { list in
                for pot in pots { list.object { Self.write(pot, to: &$0) } }
            }
        }
        return text.string + "\n"
    }

    /// Adds a pot's members to an object.
    package static func write(_ pot: PotSnapshot, to text: inout JSONText) {
        text.field("pot", pot.name)
        text.field("gateway", optional: pot.gateway)
        text.field("unit", pot.unit.rawValue)
        text.field("total", Int64(pot.total))
        text.field("used", Int64(pot.used))
        text.field("lent", Int64(pot.lent))
        text.field("share", Int64(pot.share))
        text.field("refused", Int64(clamping: pot.refused))
        text.field("taken_back", Int64(clamping: pot.takenBack))
        text.array("top") { list in
            for holding in pot.top {
                list.object { member in
                    member.field("agent", holding.agent)
                    member.field("held", Int64(holding.held))
                }
            }
        }
    }

    /// Reads such a text; nil for anything else.
    init?(_ text: String) {
        guard let object = try? JSONReader.read(Array(text.utf8)),
            let process = object["process"]?.integer.flatMap({ Int32(exactly: $0) }), let at = object["at"]?.string,
            let pots = object["pots"]?.elements
        else { return nil }
        self.init(process: process, at: at, pots: pots.compactMap(Self.pot))
    }

    private static func pot(_ value: JSONValue) -> PotSnapshot? {
        func count(_ key: String) -> Int? { value[key]?.integer.flatMap { Int(exactly: $0) } }
        guard let name = value["pot"]?.string, let unit = value["unit"]?.string.flatMap({ PotUnit(rawValue: $0) }),
            let total = count("total"), let used = count("used"), let lent = count("lent"), let share = count("share"),
            let refused = count("refused").flatMap({ UInt64(exactly: $0) }),
            let takenBack = count("taken_back").flatMap({ UInt64(exactly: $0) }), let top = value["top"]?.elements
        else { return nil }
        return PotSnapshot(
            name: name, gateway: value["gateway"]?.string, unit: unit, total: total, used: used, lent: lent,
            share: share, refused: refused, takenBack: takenBack,
            top: top.compactMap { holding in
                guard let agent = holding["agent"]?.string,
                    let held = holding["held"]?.integer.flatMap({ Int(exactly: $0) })
                else { return nil }
                return PotSnapshot.Holding(agent: agent, held: held)
            })
    }

    /// The report of the daemon that serves a state directory now; nil where none does, or it has told nothing yet.
    static func read(in state: StateDirectory) -> PotReport? {
        guard case .running(let process?) = DaemonPresence.look(at: state),
            let text = try? FileSystem.readText(state.potFile), let report = PotReport(text),
            report.process == process
        else { return nil }
        return report
    }

    func write(in state: StateDirectory) throws(StateDirectoryError) {
        try FileSystem.writeText(text, to: state.potFile, replacing: true)
    }
}
