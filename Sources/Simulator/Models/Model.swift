import Primitives

/// A model the simulated gateway sells, with one price per call.
struct Model: Sendable, Equatable {
    /// The name in `model`, provider first.
    let id: String
    /// The price of a call in millionths of a dollar token; for `upto` the most that is settled.
    let price: UInt256
    /// How the model introduces its answers.
    let voice: String

    /// About $0.0003 a call.
    static let light = Model(id: "simulator/light", price: UInt256(300), voice: "The light model answers")
    /// About $0.06 a call.
    static let flagship = Model(id: "simulator/flagship", price: UInt256(60_000), voice: "The flagship model answers")
    /// Everything on sale.
    static let all = [light, flagship]

    /// The name that leaves the choice to the gateway.
    static let automatic = "auto"

    /// Bytes of prompt above which routing takes the flagship.
    private static let longPrompt = 4000
    /// Words that ask for the flagship, lower case.
    private static let hardWords: Set<String> = ["think", "prove", "proof", "reason"]

    /// The model that serves a call: the one named, or for `auto` one that fits the prompt; nil for an unknown name.
    static func route(name: String, prompt: String) -> Model? {
        guard name == automatic else { return all.first { $0.id == name } }
        guard prompt.utf8.count <= longPrompt else { return flagship }
        let words = prompt.lowercased().split { !$0.isLetter }
        return words.contains { hardWords.contains(String($0)) } ? flagship : light
    }

    /// The answer of `GET /v1/models`.
    static var list: [UInt8] {
        var text = JSONText()
        text.object { list in
            list.field("object", "list")
            list.array("data") { data in
                for id in [automatic] + all.map(\.id) {
                    data.object { model in
                        model.field("id", id)
                        model.field("object", "model")
                        model.field("created", 1_767_225_600)
                        model.field("owned_by", "simulator")
                    }
                }
            }
        }
        return text.bytes
    }
}
