import Foundation
import Primitives
import TestSupport
import Testing

/// The package lists name every program that tests, scripts, benchmarks and recipes start.
@Suite("Programs and package lists")
struct ProgramTests {
    /// What `Tests/Programs/check` prints, line by line.
    private static func check(_ arguments: [String] = []) async throws -> [String] {
        let program = Repository.root.appending(path: "Tests/Programs/check").path(percentEncoded: false)
        let output = try await Repository.output(of: ["python3", "-B", program] + arguments)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    /// A file whose starts are known: the case's name is the file's name and text.
    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let text: String
        let row: Vectors.Row

        var testDescription: String { "\(file): \(text.replacing("\n", with: " ⏎ "))" }
    }

    private static func cases(_ kind: String) throws -> [Case] {
        let document = try JSONReader.read(Vectors.bytes(of: "Tests/Programs/cases.json"))
        return try (document[kind]?.elements ?? []).map { one in
            let row = Vectors.Row(description: kind, value: one)
            let lines = (one["text"]?.elements ?? []).compactMap(\.string)
            return Case(file: try row.string("file"), text: lines.joined(separator: "\n"), row: row)
        }
    }

    /// What is found in each case, by its description; all are read in one run.
    private static let starts = Task {
        let folder = try TemporaryFolder()
        let cases = try Self.cases("found") + Self.cases("unclear")
        var names: [String: String] = [:]
        for (number, one) in cases.enumerated() {
            let place = folder.path("\(number)")
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            names[try folder.write(one.text.utf8, to: "\(number)/\(one.file)")] = one.testDescription
        }
        var found: [String: [String]] = [:]
        for line in try await Self.check(["--started"] + names.keys.sorted()) {
            let parts = line.split(separator: "\t", maxSplits: 1).map { String($0) }
            found[try #require(names[parts[0]]), default: []].append(parts[1])
        }
        return found
    }

    /// The rows of Tests/packages that have programs.
    private static func rows() throws -> [String] {
        let text = String(decoding: try Vectors.bytes(of: "Tests/packages"), as: UTF8.self)
        return text.split(separator: "\n").map { String($0) }.filter { row in
            !row.hasPrefix("#") && row.split(separator: " ").count > 2
        }
    }

    @Test("each program that is started is on a list of the target that needs it")
    func complete() async throws {
        let findings = try await Self.check()
        #expect(findings.isEmpty, "\(findings.joined(separator: "\n"))")
    }

    @Test("reject- lists without the programs that are started, and with one that nothing starts")
    func incomplete() async throws {
        let folder = try TemporaryFolder()
        let rows = try Self.rows()
        let given = rows.filter { $0.contains(" given ") }
        let path = try folder.write(
            (given + ["needless  test  needless"]).joined(separator: "\n").utf8, to: "packages")
        let findings = try await Self.check(["--packages", path])
        for row in rows where !given.contains(row) {
            let program = try #require(row.split(separator: " ").last)
            #expect(findings.contains { $0.contains(" starts `\(program)`, ") }, "\(row)")
        }
        #expect(findings.contains { $0.hasSuffix(": nothing starts `needless`") })
    }

    @Test("each system library that the package links is on the list that every build installs")
    func libraries() throws {
        let package = String(decoding: try Vectors.bytes(of: "Package.swift"), as: UTF8.self)
        let lists = String(decoding: try Vectors.bytes(of: "Tests/packages"), as: UTF8.self).split(separator: "\n")
        let linked = package.matches(of: /\.apt\(\["([^"]+)"\]\)/).map(\.output.1)
        #expect(linked.count >= 4)
        for library in linked {
            let row = lists.first { $0.hasPrefix("\(library) ") }
            let words = try #require(row, "\(library)").split(separator: " ")
            #expect(words.count > 1 && words[1].split(separator: ",").contains("build"), "\(library)")
        }
    }

    @Test("a program is found however it is started", arguments: try ProgramTests.cases("found"))
    func found(_ one: Case) async throws {
        let programs = (one.row.value["starts"]?.elements ?? []).compactMap(\.string)
        #expect(try await Self.starts.value[one.testDescription] ?? [] == programs)
    }

    @Test("reject- a start whose program the text does not tell", arguments: try ProgramTests.cases("unclear"))
    func unclear(_ one: Case) async throws {
        let finding = try one.row.string("finding")
        let found = try await Self.starts.value[one.testDescription] ?? []
        #expect(found.contains { $0.contains(finding) }, "\(found)")
    }
}
