import Primitives
import X402

/// Header values: bounded, stable, and the same in every spelling.
enum HeaderInvariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let limit = SettlementReport.maximumBytes
        guard let text = HeaderText.decode(input, limit: limit) else { return }
        try hold(!text.isEmpty && text.count <= limit, "what is decoded is within the limit")
        try hold(
            HeaderText.decode(Array(Base64.encode(text).utf8), limit: limit) == text,
            "base 64 of the text says the same")
        let first = text.first ?? 0
        if first == UInt8(ascii: "{") {
            try hold(HeaderText.decode(text, limit: limit) == text, "plain JSON is its own text")
        }
        try printable(String(decoding: text, as: UTF8.self))
    }

    static func check(settlement input: [UInt8]) throws(BrokenInvariant) {
        guard let report = SettlementReport.read(header: input) else { return }
        try hold(SettlementReport.read(header: report.raw) == report, "the text of a report is the same report")
        let header = Array(Base64.encode(report.raw).utf8)
        try hold(SettlementReport.read(header: header) == report, "so is its base 64")
        try hold(!report.isPending || !report.success, "what succeeded is not pending")
        try hold(report.transaction?.isEmpty != true, "no transaction is nil")
        for (text, limit) in [(report.transaction, 256), (report.network, 128), (report.errorReason, 128)] {
            guard let text else { continue }
            try bounded(text, limit)
        }
        let outline = JSONOutline.members([("amount", .scalar), ("success", .scalar)])
        guard let root = try? JSONReader.read(report.raw, outline: outline) else {
            throw BrokenInvariant("a report is JSON")
        }
        try hold(root["amount"]?.string == report.amount?.description || report.amount == nil, "an amount is its text")
        try hold(root["success"]?.bool == report.success, "success is what it says")
    }

    private static func printable(_ text: String) throws(BrokenInvariant) {
        let once = text.printable(limit: 64)
        try bounded(once, 64)
        try hold(once.printable(limit: 64).utf8.elementsEqual(once.utf8), "printable text stays as it is")
    }

    static func bounded(_ text: String, _ limit: Int) throws(BrokenInvariant) {
        try hold(text.unicodeScalars.count <= limit, "a text is no longer than allowed")
        let isClean = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value) && !scalar.properties.isBidiControl
        }
        try hold(isClean, "no control character is left in a text")
    }
}
