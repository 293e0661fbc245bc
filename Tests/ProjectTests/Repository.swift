import Foundation

/// The checkout that these tests stand in.
enum Repository {
    /// One Swift file.
    struct File {
        /// The path from the repository's root.
        let path: String
        /// The lines without their ends.
        let lines: [String]
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func swiftFiles(under folder: String) throws -> [File] {
        let base = root.appending(path: folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: base.path(percentEncoded: false))
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: base.appending(path: name), encoding: .utf8)
            return File(path: "\(folder)/\(name)", lines: text.components(separatedBy: "\n"))
        }
    }

    /// The package as SwiftPM reads it, in JSON; a scratch folder of its own keeps it off the running build's lock.
    static func packageDump() async throws -> [UInt8] {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "purser-dump-\(getpid())")
        defer { try? FileManager.default.removeItem(at: scratch) }
        return try await output(of: [
            "swift", "package", "--package-path", root.path(percentEncoded: false), "--scratch-path",
            scratch.path(percentEncoded: false), "dump-package",
        ])
    }

    /// What a program that PATH leads to prints, without what it prints of errors.
    static func output(of command: [String]) async throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let file = FileManager.default.temporaryDirectory.appending(path: "purser-output-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        _ = FileManager.default.createFile(atPath: file.path(percentEncoded: false), contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: file)
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in done.resume() }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        return Array(try Data(contentsOf: file))
    }
}
