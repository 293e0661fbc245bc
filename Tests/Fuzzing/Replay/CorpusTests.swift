import Foundation
import FuzzTargets
import Testing

/// Every input that was worth keeping, once more.
@Suite("Corpus")
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "corpus")

    private static func inputs(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
        return try names.map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) }
    }

    @Test("the corpus of the gate is paid by every method that there is")
    func everyMethod() throws {
        let paying = try Self.inputs(.gate).reduce(into: Set<String>()) {
            $0.formUnion(GateInvariants.methodsPaying($1.bytes))
        }
        #expect(paying == GateInvariants.methods)
    }

    @Test("what must hold of hostile input holds of the whole corpus", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(inputs.count >= 5, "the corpus has inputs for \(target.rawValue)")
        for (name, input) in inputs {
            do {
                try target.run(input)
            } catch {
                Issue.record("\(target.rawValue)/\(name): \(error)")
            }
        }
    }

    @Test("cut anywhere and with any byte flipped, the corpus still breaks nothing", arguments: FuzzTarget.allCases)
    func neighbours(target: FuzzTarget) throws {
        for (name, input) in try Self.inputs(target) {
            let step = max(1, input.count / 16)
            for place in stride(from: 0, to: input.count, by: step) {
                var flipped = input
                flipped[place] ^= UInt8(1 << (place % 8))
                for neighbour in [flipped, Array(input[..<place]), Array(input[place...])] {
                    do {
                        try target.run(neighbour)
                    } catch {
                        Issue.record("\(target.rawValue)/\(name) at \(place): \(error)")
                    }
                }
            }
        }
    }
}
