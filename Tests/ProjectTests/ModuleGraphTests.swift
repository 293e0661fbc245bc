import Foundation
import Primitives
import TestSupport
import Testing

/// The table of modules in CONTRIBUTING.md, the package and the imports in the sources must say the same.
@Suite("Module graph")
struct ModuleGraphTests {
    /// Rows of the table: a target and everything it may import besides the system's own modules.
    private static func allowed() throws -> [String: Set<String>] {
        let text = try String(contentsOf: Repository.root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
        var table: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 3, cells[0].hasPrefix("`"), cells[0].hasSuffix("`") else { continue }
            let names = cells[1].split(separator: " ").map { $0.trimmingCharacters(in: ["`", ","]) }
            table[cells[0].trimmingCharacters(in: ["`"])] = Set(names.filter { $0 != "—" })
        }
        return table
    }

    @Test("the package depends on exactly what the table says")
    func package() async throws {
        let allowed = try Self.allowed()
        let dump = try JSONReader.read(try await Repository.packageDump())
        for target in dump["targets"]?.elements ?? [] {
            guard let name = target["name"]?.string, target["type"]?.string != "test" else { continue }
            // What stands beside the tests is no part of the program.
            if target["path"]?.string?.hasPrefix("Tests/") ?? false { continue }
            var dependencies: Set<String> = []
            for dependency in target["dependencies"]?.elements ?? [] {
                let kinds = ["byName", "product", "target"]
                let found = kinds.compactMap { dependency[$0]?.elements?.first?.string }.first
                dependencies.insert(try #require(found))
            }
            if target["type"]?.string == "system" || name == "CSpecs" { continue }
            #expect(allowed[name] == dependencies, "\(name)")
        }
    }

    @Test("the sources import exactly what the package gives them")
    func imports() throws {
        let allowed = try Self.allowed()
        let system: Set<String> = ["Glibc", "Darwin", "Synchronization", "Dispatch"]
        for (target, dependencies) in allowed {
            var imported: Set<String> = []
            for file in try Repository.swiftFiles(under: "Sources/\(target)") {
                for line in file.lines {
                    let words = line.split(separator: " ")
                    guard let index = words.firstIndex(of: "import"), index <= 1, words.count == index + 2 else {
                        continue
                    }
                    imported.insert(String(words[index + 1]))
                }
            }
            #expect(imported.subtracting(system) == dependencies, "\(target)")
        }
    }
}
