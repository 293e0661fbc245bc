import Primitives

/// What a daemon tells of the chains that it reads, in a file that other processes read.
struct ChainReport: Sendable, Equatable {
    /// The daemon's process.
    let process: Int32
    /// How each chain looked when it was read last.
    let chains: [ChainStanding]

    init(process: Int32, chains: [ChainStanding]) {
        self.process = process
        self.chains = chains
    }

    /// The report as it stands in the state directory.
    var text: String {
        var text = JSONText()
        text.object { report in
            report.field("process", Int64(process))
            report.array("chains") { list in
                for standing in chains {
                    list.object { object in
                        object.field("network", standing.network)
                        object.field("read_at", standing.readAt)
                        object.field("problem", optional: standing.problem)
                        object.field("disagreement", standing.isDisagreement)
                        object.array("left_out") { faults in
                            for fault in standing.leftOut { faults.element(fault) }
                        }
                        object.field("block", optional: standing.block.map { "\($0)" })
                        object.field("block_time", optional: standing.blockTime)
                        object.field("agreed_at", optional: standing.agreedAt)
                    }
                }
            }
        }
        return text.string + "\n"
    }

    /// Reads such a text; nil for anything else.
    init?(_ text: String) {
        guard let object = try? JSONReader.read(Array(text.utf8)),
            let process = object["process"]?.integer.flatMap({ Int32(exactly: $0) }),
            let chains = object["chains"]?.elements
        else { return nil }
        self.init(process: process, chains: chains.compactMap { Self.standing($0) })
    }

    private static func standing(_ element: JSONValue) -> ChainStanding? {
        guard let network = element["network"]?.string, let readAt = element["read_at"]?.string else { return nil }
        var standing = ChainStanding(network: network, readAt: readAt)
        standing.problem = element["problem"]?.string
        standing.isDisagreement = element["disagreement"]?.bool ?? false
        standing.leftOut = element["left_out"]?.elements?.compactMap(\.string) ?? []
        standing.block = element["block"]?.string.flatMap { UInt64($0) }
        standing.blockTime = element["block_time"]?.string
        standing.agreedAt = element["agreed_at"]?.string
        return standing
    }

    /// The report of the daemon that serves a state directory now; nil where none does, or it has told nothing yet.
    static func read(in state: StateDirectory) -> ChainReport? {
        guard case .running(let process?) = DaemonPresence.look(at: state),
            let text = try? FileSystem.readText(state.chainsFile), let report = ChainReport(text),
            report.process == process
        else { return nil }
        return report
    }

    func write(in state: StateDirectory) throws(StateDirectoryError) {
        try FileSystem.writeText(text, to: state.chainsFile, replacing: true)
    }
}
