import Primitives
import X402

/// Whether the body of a rejection says something to a person.
///
/// Client libraries show `error.message`, `error`, or a text beside them, and all of a body that is not JSON.
enum RejectionText {
    /// Members whose text clients show, at the top and within `error`.
    private static let members = [
        "message", "detail", "reason", "title", "error_description", "errorReason", "invalidReason", "errorMessage",
        "description", "msg", "code", "type",
    ]
    /// Members that name a kind of failure, and are text only within `error`.
    private static let kinds: Set<String> = ["code", "type"]

    /// Whether a body has such a text.
    static func isReadable(in body: [UInt8]) -> Bool {
        guard let root = try? JSONReader.read(body) else { return isText(String(decoding: body, as: UTF8.self)) }
        if let text = root.string { return isText(text) }
        if let error = root["error"] {
            if isText(error.string) { return true }
            if members.contains(where: { isText(error[$0]?.string) }) { return true }
        }
        return members.contains { !kinds.contains($0) && isText(root[$0]?.string) }
    }

    /// The word by which a JSON body names the reason, at most 128 characters; nil where it names none.
    static func reason(in body: [UInt8]) -> String? {
        guard let root = try? JSONReader.read(body) else { return nil }
        let words = [
            root["errorReason"], root["invalidReason"], root["error"], root["error"]?["reason"], root["error"]?["code"],
            root["reason"], root["code"], root["error"]?["message"],
        ]
        return words.lazy.compactMap { $0?.string }.first(where: isText)?.printable(limit: 128)
    }

    /// Whether anything of a text can be seen.
    private static func isText(_ text: String?) -> Bool {
        text?.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil } ?? false
    }
}
