/// Methods that servers know (IANA's HTTP Method Registry), and those that show the server's own request, TRACK and DEBUG.
enum RequestMethods {
    private static let known: Set<String> = [
        "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DEBUG", "DELETE", "GET", "HEAD",
        "LABEL",
        "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "OPTIONS",
        "ORDERPATCH", "PATCH", "POST", "PRI", "PROPFIND", "PROPPATCH", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH",
        "TRACE",
        "TRACK", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
    ]

    /// Whether a method equals a known one but for the case of its letters, so that servers disagree about which it is
    /// (RFC 9110 section 9.1: methods are case-sensitive).
    static func isMisspelled(_ method: String) -> Bool {
        guard method.utf8.contains(where: { $0 >= 0x61 && $0 <= 0x7a }) else { return false }
        return known.contains(method.uppercased())
    }
}

extension Gateway.Credential {
    /// Why a method cannot be listed among those whose requests carry a key; nil where it can.
    package static func problem(withMethod method: String) -> String? {
        let isToken = method.utf8.allSatisfy { byte in
            (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39)
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        if method.isEmpty || method.utf8.count > 32 || !isToken { return "`\(method)` is not a method, such as `POST`" }
        if RequestMethods.isMisspelled(method) { return "methods are case-sensitive: write `\(method.uppercased())`" }
        if method == "TRACE" || method == "CONNECT" { return "`\(method)` is never sent to a gateway" }
        return nil
    }
}

extension AgentConnection {
    /// Refuses a method that some servers take for another one.
    func checkMethod(_ method: String) throws(Refusal) {
        guard !RequestMethods.isMisspelled(method) else {
            throw Refusal(
                400, "bad-method",
                "The method \(method) differs from \(method.uppercased()) only in the case of its letters, and servers "
                    + "disagree about whether these are the same.", closing: true)
        }
    }
}
