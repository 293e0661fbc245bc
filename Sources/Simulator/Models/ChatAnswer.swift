import Ethereum
import Primitives

/// The answer to a chat request; the same request always gets the same text and id.
struct ChatAnswer: Sendable, Equatable {
    /// A UUID without prefix, made from the request.
    let id: String
    /// When it was made, Unix seconds.
    let created: Int64
    /// The model that wrote it.
    let model: Model
    /// The text in pieces, as a stream would bring them.
    let tokens: [String]
    /// Tokens of the prompt: a quarter of its bytes, at least one.
    let promptTokens: Int64

    /// Makes the answer; `fingerprint` identifies the request.
    init(to request: ChatRequest, fingerprint: Bytes32, at now: Timestamp) {
        id = Self.uuid(fingerprint)
        created = now.seconds
        model = request.model
        promptTokens = Int64(max(1, request.prompt.utf8.count / 4))
        let quoted = request.prompt.split { $0.isWhitespace }.prefix(8).joined(separator: " ").prefix(80)
        let text = "\(model.voice) \"\(quoted)\": this text is made up, one token at a time, by a simulated gateway."
        tokens = text.split(separator: " ").enumerated().map { index, word in index == 0 ? String(word) : " \(word)" }
    }

    /// Sixteen bytes in the form of a version 4 UUID.
    private static func uuid(_ source: Bytes32) -> String {
        var bytes = Array(Keccak256.hash(words: source).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let groups = [bytes[..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10...]]
        return groups.map { Hex.encode($0) }.joined(separator: "-")
    }

    /// The whole answer as one JSON document.
    var document: [UInt8] {
        var text = JSONText()
        text.object { root in
            head(&root, object: "chat.completion")
            root.array("choices") { choices in
                choices.object { choice in
                    choice.field("index", 0)
                    choice.object("message") { message in
                        message.field("role", "assistant")
                        message.field("content", tokens.joined())
                    }
                    choice.field("finish_reason", "stop")
                }
            }
            usage(&root)
        }
        return text.bytes
    }

    /// The answer as server-sent events: role, tokens, end, usage, `[DONE]`.
    var events: [[UInt8]] {
        let opening = chunk { choices in
            Self.choice(&choices, finish: nil) { delta in
                delta.field("role", "assistant")
                delta.field("content", "")
            }
        }
        let middle = tokens.map { token in
            chunk { choices in Self.choice(&choices, finish: nil) { $0.field("content", token) } }
        }
        let end = chunk { choices in Self.choice(&choices, finish: "stop") { _ in } }
        let total = chunk(withUsage: true) { _ in }
        return [opening] + middle + [end, total, Self.event(Array("[DONE]".utf8))]
    }

    private func chunk(withUsage: Bool = false, _ choices: (inout JSONText) -> Void) -> [UInt8] {
        var text = JSONText()
        text.object { root in
            head(&root, object: "chat.completion.chunk")
            root.array("choices", choices)
            if withUsage { usage(&root) }
        }
        return Self.event(text.bytes)
    }

    private func head(_ root: inout JSONText, object: String) {
        root.field("id", id)
        root.field("object", object)
        root.field("created", created)
        root.field("model", model.id)
    }

    private func usage(_ root: inout JSONText) {
        let completion = Int64(tokens.count)
        root.object("usage") { usage in
            usage.field("prompt_tokens", promptTokens)
            usage.field("completion_tokens", completion)
            usage.field("total_tokens", promptTokens + completion)
        }
    }

    private static func choice(_ choices: inout JSONText, finish: String?, _ delta: (inout JSONText) -> Void) {
        choices.object { choice in
            choice.field("index", 0)
            choice.object("delta", delta)
            if let finish {
                choice.field("finish_reason", finish)
            } else {
                choice.field("finish_reason", raw: "null".utf8)
            }
        }
    }

    private static func event(_ data: [UInt8]) -> [UInt8] {
        Array("data: ".utf8) + data + Array("\n\n".utf8)
    }
}
