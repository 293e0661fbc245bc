import Payments
import Policy
import Primitives
import Proxy
import SystemCrypto
import TestSupport
import Testing
import X402

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Files of signers' documents")
struct SignerDocumentTests {
    private static let did = "did:web:keys.example"
    private static let text = """
        {"id":"\(did)","verificationMethod":[{"id":"#1","type":"Multikey","controller":"\(did)",
        "publicKeyMultibase":"zQ3shScWratmosu8R95gHDdPPypPdxht5hkJ16K2Pv7NWWW4m"}],"assertionMethod":["#1"]}
        """

    private let folder: TemporaryFolder
    private let state: StateDirectory

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
    }

    private func configuration(_ more: String = "") throws -> Configuration {
        let text = """
            gateways:
              lab: { url: "https://lab.example", signers: [{ did: "\(Self.did)", document: keys.json\(more) }] }
            """
        return try Configuration.parse(text: text, file: "config.yaml", table: .pinned()).get()
    }

    private func gateway(_ more: String = "") throws -> String {
        let entry = try #require(try configuration(more).gateways.first)
        let document = try Unlocking.gateway(entry, path: state.path).policy.signers.documents[Self.did]
        return Hex.encode(try #require(document).digest.bytes)
    }

    @Test("a document is read from its file, by its digest where one is given")
    func read() throws {
        try folder.write(Self.text.utf8, to: "keys.json")
        let digest = Hex.encode(SHA256.hash(Array(Self.text.utf8)).bytes)
        #expect(try gateway() == digest)
        #expect(try gateway(", sha256: \"\(digest)\"") == digest)
        #expect(ConfigurationFiles.problems(of: try configuration(), state: state).isEmpty)
        #expect(!ConfigurationFiles.remarks(on: try configuration()).contains { $0.contains("signers") })
    }

    @Test("reject- a document that is missing, another's, changed, or that others can write")
    func rejected() throws {
        func problem(_ words: String, _ more: String = "") throws {
            #expect(throws: StartFailure.self) { try gateway(more) }
            let problems = ConfigurationFiles.problems(of: try configuration(more), state: state)
            #expect(problems.count == 1 && problems.allSatisfy { $0.contains(words) }, "\(problems)")
            #expect(problems.allSatisfy { $0.hasPrefix("gateways.lab.signers: ") && $0.contains("keys.json") })
        }
        try problem("there is no")
        try folder.write(Self.text.replacing("keys.example", with: "evil.example").utf8, to: "keys.json")
        try problem("this is the document of another identifier, `did:web:evil.example`")
        try folder.write("{}".utf8, to: "keys.json")
        try problem("another identifier, `none`")
        try folder.write(Self.text.utf8, to: "keys.json")
        try problem("its SHA-256 is", ", sha256: \"\(String(repeating: "0", count: 64))\"")
        #expect(unsafe chmod(folder.path + "/keys.json", 0o666) == 0)
        try problem("666")
    }

    @Test("a did:web without a document is told by `config check`")
    func remark() throws {
        let text = "gateways:\n  lab: { url: \"https://lab.example\", signers: [\"\(Self.did)\"] }\n"
        let configuration = try Configuration.parse(text: text, file: "config.yaml", table: .pinned()).get()
        let remarks = ConfigurationFiles.remarks(on: configuration)
        #expect(remarks.contains { $0.hasPrefix("gateways.lab.signers: the key of \(Self.did) stands in a document") })
    }
}
