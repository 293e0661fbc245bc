import Foundation
import Primitives
import TestSupport
import Testing

/// The package lists name every program that tests, scripts, benchmarks and recipes start.
@Suite("Programs and package lists")
struct ProgramTests {
    /// What `Tests/Programs/check` prints, line by line.
    private static func check(_ arguments: String...) async throws -> [String] {
        let program = Repository.root.appending(path: "Tests/Programs/check").path(percentEncoded: false)
        let output = try await Repository.output(of: ["python3", "-B", program] + arguments)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    /// What it finds in a file of its own that is named and written as a case says.
    private static func started(_ one: Vectors.Row) async throws -> [String] {
        let folder = try TemporaryFolder()
        let lines = (one.value["text"]?.elements ?? []).compactMap(\.string)
        return try await check(
            "--started", folder.write(lines.joined(separator: "\n").utf8, to: one.string("file")))
    }

    /// The cases of one kind; each is called by its text.
    private static func cases(_ kind: String) throws -> [Vectors.Row] {
        let document = try JSONReader.read(Vectors.bytes(of: "Tests/Programs/cases.json"))
        return (document[kind]?.elements ?? []).map { one in
            let lines = (one["text"]?.elements ?? []).compactMap(\.string)
            return Vectors.Row(
                description: "\(one["file"]?.string ?? ""): \(lines.joined(separator: " ⏎ "))", value: one)
        }
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
        let findings = try await Self.check("--packages", path)
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
    func found(_ one: Vectors.Row) async throws {
        let programs = (one.value["starts"]?.elements ?? []).compactMap(\.string)
        #expect(try await Self.started(one) == programs)
    }

    @Test("reject- a start whose program the text does not tell", arguments: try ProgramTests.cases("unclear"))
    func unclear(_ one: Vectors.Row) async throws {
        let finding = try one.string("finding")
        let found = try await Self.started(one)
        #expect(found.contains { $0.contains(finding) }, "\(found)")
    }
}
