import Primitives

extension Misbehaviour {
    private static func timeout(_ name: String, _ text: String?) -> Misbehaviour {
        .entry("timeout-\(name)") { $0["maxTimeoutSeconds"] = text }
    }

    private static func date(_ name: String, seconds: Int64) -> Misbehaviour {
        .asking(name) { visit in
            var challenge = ScriptedChallenge()
            challenge.lines = ["Date: \(visit.now.adding(seconds: seconds).httpDate)"]
            return challenge.answer
        }
    }

    /// A challenge that a cache has kept: its Date is older than the payment may be, and Age says for how long.
    private static func cached(_ name: String, ages: [String]) -> Misbehaviour {
        .asking(name) { visit in
            var challenge = ScriptedChallenge()
            challenge.lines =
                ["Date: \(visit.now.adding(seconds: -1200).httpDate)"] + ages.map { "Age: \($0)" }
            return challenge.answer
        }
    }

    /// Windows that are too short, too long or no numbers, and clocks that would move them.
    static let windows: [Misbehaviour] = [
        timeout("zero", "0"), timeout("negative", "-60"), timeout("of-a-second", "1"), timeout("text", #""60""#),
        timeout("float", "60.5"), timeout("missing", nil), timeout("of-four-days", "345600"),
        timeout("of-a-century", "3153600000"), timeout("beyond-integers", "1e30"),
        date("clock-an-hour-ahead", seconds: 3600), date("clock-an-hour-behind", seconds: -3600),
        date("clock-four-minutes-ahead", seconds: 240), date("clock-four-minutes-behind", seconds: -240),
        .challenge("clock-unreadable") { $0.lines = ["Date: yesterday"] },
        .asking("clocks-that-differ") { visit in
            var challenge = ScriptedChallenge()
            challenge.lines = ([7200, -7200] as [Int64]).map { "Date: \(visit.now.adding(seconds: $0).httpDate)" }
            return challenge.answer
        },
        cached("cached-for-twenty-minutes", ages: ["1200"]), cached("cached-age-twice", ages: ["1200", "1200"]),
        cached("cached-age-signed", ages: ["+1200"]), cached("cached-age-beyond-a-day", ages: ["86401"]),
    ]
}
