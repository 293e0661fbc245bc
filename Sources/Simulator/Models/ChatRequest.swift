import Primitives

/// What a chat completion request asks for.
struct ChatRequest: Sendable, Equatable {
    /// The model that serves it.
    let model: Model
    /// All text of the messages, in order, one line break between two pieces.
    let prompt: String
    /// Whether the answer comes as server-sent events.
    let streams: Bool

    /// Why a body is no request that can be served.
    enum Problem: Error, Equatable {
        /// The body is not a JSON object with a model and messages; the text says what is wrong.
        case malformed(String)
        /// No model of this name is on sale.
        case unknownModel(String)
    }

    /// Reads an OpenAI-style body: `model`, `messages` with text content, optional `stream`; the rest is ignored.
    static func read(_ body: [UInt8]) throws(Problem) -> ChatRequest {
        let root: JSONValue
        do {
            root = try JSONReader.read(body)
        } catch {
            throw .malformed("the body is not JSON: \(error)")
        }
        guard let name = root["model"]?.string else { throw .malformed("model is missing") }
        guard let messages = root["messages"]?.elements, !messages.isEmpty else {
            throw .malformed("messages is missing or empty")
        }
        var pieces: [String] = []
        for message in messages {
            guard message["role"]?.string != nil else { throw .malformed("a message has no role") }
            pieces += text(of: message["content"])
        }
        let prompt = pieces.joined(separator: "\n")
        guard let model = Model.route(name: name, prompt: prompt) else { throw .unknownModel(name) }
        return ChatRequest(model: model, prompt: prompt, streams: root["stream"]?.bool ?? false)
    }

    /// Content is a text, or an array of parts of which those with a text count.
    private static func text(of content: JSONValue?) -> [String] {
        if let text = content?.string { return [text] }
        return (content?.elements ?? []).compactMap { $0["text"]?.string }
    }
}
