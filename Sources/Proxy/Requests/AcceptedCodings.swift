import Transport

/// What a gateway is asked for in Accept-Encoding (RFC 9110 section 12.5.3): of the content codings that the agent takes
/// those that a challenge can be read in.
enum AcceptedCodings {
    /// Codings that are read, `identity` aside, in the order in which they are asked for.
    private static let read = ["gzip", "deflate", "zstd"]

    /// What to ask for in the place of an agent's field values; nil when these can stay as they are.
    ///
    /// Weights are kept. `*` becomes the readable codings that are not named. An agent that sends no field, or names nothing
    /// that is read, gets what has no coding: it need not know any. That is also right where it forbids `identity`, since
    /// a server that has nothing acceptable may send that or an error, and neither has a coding.
    static func readable(_ values: [String]) -> String? {
        guard let first = values.first else { return "identity" }
        if values.count == 1, let known = usual[first] { return known }
        return filter(values)
    }

    /// What client libraries send, so that it need not be taken apart for each request.
    private static let usual = Dictionary(
        uniqueKeysWithValues: [
            "gzip", "gzip, deflate", "gzip,deflate", "gzip, deflate, br", "gzip,deflate,br", "gzip, deflate, br, zstd",
            "gzip, br", "gzip, compress, deflate, br", "br, gzip, deflate", "*", "*/*", "identity",
        ].map { ($0, filter([$0])) })

    private static func filter(_ values: [String]) -> String? {
        let elements = values.flatMap { $0.split(separator: ",") }.map(Element.init)
        let named = Set(elements.compactMap { $0?.coding })
        var kept: [String] = []
        var isChanged = false
        var asksForOne = false
        for element in elements {
            switch element {
            case let element? where element.isReadable:
                kept.append(element.text)
                asksForOne = asksForOne || !element.isRefused
            case let element? where element.coding == "identity":
                kept.append(element.text)
            case let element? where element.coding == "*" && element.isRefused:
                kept.append(element.text)
            case let element? where element.coding == "*":
                isChanged = true
                let others = read.filter { !named.contains($0) }
                kept += others.map { "\($0)" + (element.weight.map { ";q=\($0)" } ?? "") }
                asksForOne = asksForOne || !others.isEmpty
            default:
                isChanged = true
            }
        }
        guard asksForOne else {
            let isPlain = elements.allSatisfy { $0?.coding == "identity" && $0?.isRefused == false }
            return isPlain ? nil : "identity"
        }
        return isChanged ? kept.joined(separator: ", ") : nil
    }

    /// One element of the list; nil for what is none.
    private struct Element {
        /// As it was sent.
        let text: String
        /// In lower case.
        let coding: String
        /// The weight as it was sent.
        let weight: String?

        init?(_ element: Substring) {
            text = String(element.trimmingBlanks)
            let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmingBlanks)
            guard parts.count <= 2, !parts[0].isEmpty else { return nil }
            coding = parts[0].lowercased()
            guard parts.count == 2 else {
                weight = nil
                return
            }
            guard parts[1].lowercased().hasPrefix("q="), Self.isWeight(parts[1].dropFirst(2)) else { return nil }
            weight = String(parts[1].dropFirst(2))
        }

        var isReadable: Bool { read.contains(coding) || coding == "x-gzip" }

        /// Whether its weight is zero.
        var isRefused: Bool { weight?.allSatisfy { $0 == "0" || $0 == "." } ?? false }

        /// 0 to 1 with up to three digits after the point.
        private static func isWeight(_ text: Substring) -> Bool {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), parts[0] == "0" || parts[0] == "1" else { return false }
            guard parts.count == 2 else { return true }
            let digits = parts[0] == "1" ? "0"..."0" : "0"..."9"
            return parts[1].utf8.count <= 3 && parts[1].allSatisfy { digits.contains(String($0)) }
        }
    }
}
