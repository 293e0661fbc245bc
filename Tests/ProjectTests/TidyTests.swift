import Foundation
import Testing

/// Style that a formatter cannot see.
@Suite("Tidy")
struct TidyTests {
    @Test("no file is longer than 600 lines")
    func fileLength() throws {
        for file in try Repository.swiftFiles(under: "Sources") + Repository.swiftFiles(under: "Tests") {
            #expect(file.lines.count <= 600, "\(file.path)")
        }
    }

    @Test("no function in the sources is longer than 80 lines")
    func functionLength() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            var start: (line: Int, indent: String)?
            for (number, line) in file.lines.enumerated() {
                let indent = String(line.prefix { $0 == " " })
                let words = line.split(separator: " ")
                if words.contains(where: { $0 == "func" || $0.hasPrefix("init(") }), line.hasSuffix("{"), start == nil {
                    start = (number, indent)
                } else if let begun = start, line == begun.indent + "}" {
                    #expect(number - begun.line <= 80, "\(file.path):\(begun.line + 1)")
                    start = nil
                }
            }
        }
    }

    @Test(
        "banned words stay out of the sources",
        arguments: [
            "import Foundation", "try!", " as! ", "TODO", "FIXME", "XXX:", "print(\"DEBUG", "fatalError(",
        ])
    func bannedWords(_ word: String) throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains(word), "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("types are not called Manager, Helper or Utils")
    func names() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for (number, line) in file.lines.enumerated() {
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                for (keyword, name) in zip(words, words.dropFirst())
                where ["class", "struct", "enum", "actor", "protocol"].contains(keyword) {
                    let isVague = ["Manager", "Helper", "Helpers", "Utils", "Util"].contains { name.hasSuffix($0) }
                    #expect(!isVague, "\(file.path):\(number + 1): \(name)")
                }
            }
        }
    }

    @Test(
        "what must be reproducible reads no clock and owns no randomness",
        arguments: ["Primitives", "RequestFacts", "Ethereum", "X402", "Policy", "Ledger"])
    func purity(_ target: String) throws {
        let words = [
            "Date()", ".random(", "SystemRandomNumberGenerator", "clock_gettime", "ContinuousClock", "getenv(",
        ]
        for file in try Repository.swiftFiles(under: "Sources/\(target)") {
            for (number, line) in file.lines.enumerated() {
                #expect(!words.contains { line.contains($0) }, "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("unchecked Sendable is explained where it stands")
    func uncheckedSendable() throws {
        for file in try Repository.swiftFiles(under: "Sources") {
            for (number, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
                let isExplained = number > 0 && file.lines[number - 1].contains("//")
                #expect(isExplained, "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("the signer is called in three places only: for payments, for sign-ins and for approvals by hand")
    func signerReachability() throws {
        var callers: [String] = []
        for file in try Repository.swiftFiles(under: "Sources") where !file.path.contains("/Wallets/") {
            if file.lines.contains(where: { $0.contains("signer.sign(") && !$0.contains("sign(checkpoint:") }) {
                callers.append(file.path)
            }
        }
        #expect(
            Set(callers) == [
                "Sources/Payments/Engine/ReservedPayment.swift", "Sources/Payments/Engine/SignIn.swift",
                "Sources/Payments/Approvals/ApprovalSigning.swift",
            ])
        // Whatever a key signs is of a type that only the gate makes; the plain operation is private to the key.
        let makers = try Repository.swiftFiles(under: "Sources").filter { file in
            file.lines.contains { $0.contains("Signable(digest:") }
        }
        #expect(
            Set(makers.map(\.path)) == [
                "Sources/Policy/Gate/ClearedPayment.swift", "Sources/Policy/Approval/ApprovalTransaction.swift",
                "Sources/Policy/Approval/ClearedApproval.swift",
            ])
        let statements = try Repository.swiftFiles(under: "Sources").filter { file in
            file.lines.contains { $0.contains("self.init(digest:") }
        }
        #expect(statements.map(\.path) == ["Sources/Policy/Gate/Signable.swift"])
        let plain = try Repository.swiftFiles(under: "Sources").filter { file in
            !file.path.contains("/Ethereum/") && file.lines.contains { $0.contains("func sign(digest:") }
        }
        #expect(plain.map(\.path) == ["Sources/Wallets/Signing/SigningKey.swift"])
        #expect(plain.allSatisfy { $0.lines.contains { $0.contains("private func sign(digest:") } })
        let closers = try Repository.swiftFiles(under: "Sources").filter { file in
            !file.path.contains("/Wallets/") && file.lines.contains { $0.contains(".sign(checkpoint:") }
        }
        #expect(closers.map(\.path) == ["Sources/Payments/Closing/LedgerClosing.swift"])
    }

    @Test("every test that the promises name exists")
    func promises() throws {
        let text = try String(contentsOf: Repository.root.appending(path: "Specs/promises.md"), encoding: .utf8)
        let tests = try Repository.swiftFiles(under: "Tests").map { $0.lines.joined(separator: "\n") }
            .joined(separator: "\n")
        var named = 0
        for line in text.split(separator: "\n") where line.hasPrefix("  - “") {
            guard let start = line.firstIndex(of: "“"), let end = line.lastIndex(of: "”") else { continue }
            let name = String(line[line.index(after: start)..<end])
            named += 1
            #expect(tests.contains("\"\(name)\""), "\(name)")
        }
        #expect(named >= 10)
    }
}
