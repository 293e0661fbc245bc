import Primitives
import SystemCrypto

/// How a daemon took a reload.
package struct ReloadReport: Sendable, Equatable {
    /// The daemon's process.
    package let process: Int32
    /// Which reload of that process it is, from 1.
    package let number: Int64
    /// When, RFC 3339.
    package let at: String
    /// SHA-256 of the configuration that was read, in hex; nil where it could not be read.
    package var configuration: String?
    /// The hash of the policy in force; nil without one.
    package var policy: String?
    /// Keys that were changed and hold only from the next start on.
    package var waiting: [String] = []
    /// How many tunnels were ended since their right ended with it.
    package var tunnelsEnded = 0
    /// What was wrong; nil when the files are in force.
    package var problem: String?

    init(process: Int32, number: Int64, at: String) {
        self.process = process
        self.number = number
        self.at = at
    }

    /// The report as it stands in the state directory.
    var text: String {
        var text = JSONText()
        text.object { object in
            object.field("process", Int64(process))
            object.field("number", number)
            object.field("at", at)
            object.field("configuration", optional: configuration)
            object.field("policy", optional: policy)
            object.array("waiting") { list in for key in waiting { list.element(key) } }
            object.field("tunnels_ended", Int64(tunnelsEnded))
            object.field("problem", optional: problem)
        }
        return text.string + "\n"
    }

    /// Reads such a text; nil for anything else.
    init?(_ text: String) {
        guard let object = try? JSONReader.read(Array(text.utf8)),
            let process = object["process"]?.integer.flatMap({ Int32(exactly: $0) }),
            let number = object["number"]?.integer, let at = object["at"]?.string
        else { return nil }
        self.init(process: process, number: number, at: at)
        configuration = object["configuration"]?.string
        policy = object["policy"]?.string
        waiting = object["waiting"]?.elements?.compactMap(\.string) ?? []
        tunnelsEnded = object["tunnels_ended"]?.integer.flatMap { Int(exactly: $0) } ?? 0
        problem = object["problem"]?.string
    }

    static func hash(of text: String) -> String { Hex.encode(SHA256.hash(Array(text.utf8)).bytes) }
}
