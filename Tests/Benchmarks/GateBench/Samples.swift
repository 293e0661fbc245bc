import Primitives

/// The challenges that are paid: the official SDK's, and one as long as is still read.
enum Samples {
    /// Reads the SDK's challenges from the file of vectors.
    static func all(from path: String) throws -> [Sample] {
        let document = try JSONReader.read(File.bytes(of: path))
        let entries = document["vectors"]?.elements ?? []
        func header(_ id: String) throws -> [UInt8] {
            let entry = entries.first { $0["id"]?.string == id }
            guard let text = entry?["http"]?["PAYMENT-REQUIRED"]?.string else {
                throw BenchError("\(path) lacks \(id)")
            }
            return Array(text.utf8)
        }
        let exact = try header("exact-eip3009-base")
        return [
            Sample(name: "exact-eip3009", header: exact, method: "exact-eip3009"),
            Sample(name: "exact-permit2", header: try header("exact-permit2-base-sepolia"), method: "exact-permit2"),
            Sample(name: "upto-permit2", header: try header("upto-permit2-base"), method: "upto-permit2"),
            Sample(name: "64 entries", header: try long(exact), method: "exact-eip3009"),
        ]
    }

    /// The same challenge with its first entry 64 times, each of them payable.
    private static func long(_ header: [UInt8]) throws -> [UInt8] {
        guard let text = Base64.decodeLenient(header), let root = try? JSONReader.read(text),
            let entry = root["accepts"]?.elements?.first
        else { throw BenchError("the challenge has no entry") }
        var long = JSONText()
        long.object { document in
            document.field("x402Version", 2)
            if let resource = root["resource"] { document.field("resource", raw: text[resource.range]) }
            document.array("accepts") { accepts in
                for _ in 0..<64 { accepts.raw(text[entry.range]) }
            }
        }
        return Array(Base64.encode(long.bytes).utf8)
    }
}
