import Primitives

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

    /// Whether anything of a text can be seen.
    private static func isText(_ text: String?) -> Bool {
        text?.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil } ?? false
    }
}
