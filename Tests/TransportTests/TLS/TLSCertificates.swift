import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A certificate authority and leaves for every case, made once per run with the `openssl` command.
final class TLSCertificates: Sendable {
    /// A leaf: `name.pem` holds its chain, `name.key` its key.
    enum Leaf: String, CaseIterable {
        /// For `localhost`, below an intermediate.
        case localhost
        /// For 127.0.0.1 and ::1.
        case address
        case other
        /// For `*.wild.test`.
        case wildcard
        /// For `f*.part.test`.
        case partialWildcard
        /// `localhost` in the subject only.
        case commonName
        case expired
        case future
        case selfSigned
        /// From an authority nobody trusts, for `localhost`.
        case stranger
    }

    let folder: String
    private let fileCount = Mutex(0)

    var trustFile: String { "\(folder)/ca.pem" }

    func chain(_ leaf: Leaf) -> String { "\(folder)/\(leaf.rawValue).pem" }
    func key(_ leaf: Leaf) -> String { "\(folder)/\(leaf.rawValue).key" }

    /// The bytes of a file.
    func read(_ path: String) throws -> [UInt8] {
        let file = unsafe open(path, O_RDONLY)
        guard file >= 0 else { throw TLSChildProcess.Failure(description: "\(path): errno \(errno)") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = unsafe Glibc.read(file, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    /// A fresh path in the folder.
    func path(_ suffix: String) -> String {
        "\(folder)/\(fileCount.withLock { $0 += 1; return $0 })-\(suffix)"
    }

    static func shared() throws -> TLSCertificates { try made.get() }

    private static let made = Result {
        let certificates = try TLSCertificates()
        // An exit handler captures nothing, so it comes back here for the folder's name.
        atexit { if let folder = try? TLSCertificates.shared().folder { TLSCertificates.remove(folder) } }
        return certificates
    }

    private static func remove(_ folder: String) {
        try? TLSChildProcess.run(["rm", "-rf", folder], outputPath: "/dev/null")
    }

    private init() throws {
        var template = Array("/tmp/purser-tls-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw TLSChildProcess.Failure(description: "mkdtemp: errno \(errno)")
        }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try save(Self.authorityConfiguration, to: "\(folder)/ca.cnf")
        try save("", to: "\(folder)/index.txt")
        for authority in ["ca", "stranger-ca"] {
            try openssl(
                ["req", "-x509"] + Self.newKey + [
                    "-keyout", "\(folder)/\(authority).key", "-out", "\(folder)/\(authority).pem",
                    "-subj", "/CN=\(authority)", "-days", "3", "-addext", "keyUsage=critical,keyCertSign",
                ])
        }
        try issue("intermediate", extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign")
        try issue("localhost", by: "intermediate", extensions: "subjectAltName=DNS:localhost")
        try append("\(folder)/intermediate.pem", to: chain(.localhost))
        try issue("address", extensions: "subjectAltName=IP:127.0.0.1,IP:::1")
        try issue("other", extensions: "subjectAltName=DNS:other.test")
        try issue("wildcard", extensions: "subjectAltName=DNS:*.wild.test")
        try issue("partialWildcard", extensions: "subjectAltName=DNS:f*.part.test")
        try issue("commonName", subject: "localhost", extensions: "extendedKeyUsage=serverAuth")
        try issue(
            "expired", extensions: "subjectAltName=DNS:localhost", from: "20200101000000Z", until: "20200201000000Z")
        try issue(
            "future", extensions: "subjectAltName=DNS:localhost", from: "20700101000000Z", until: "20700201000000Z")
        try issue("stranger", by: "stranger-ca", extensions: "subjectAltName=DNS:localhost")
        try openssl(
            ["req", "-x509"] + Self.newKey + [
                "-keyout", key(.selfSigned), "-out", chain(.selfSigned), "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ])
    }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    private static let authorityConfiguration = """
        [ca]
        default_ca = test
        [test]
        database = $ENV::FOLDER/index.txt
        new_certs_dir = $ENV::FOLDER
        rand_serial = yes
        default_md = sha256
        default_days = 3
        unique_subject = no
        policy = any
        [any]
        commonName = supplied
        """

    private func issue(
        _ name: String, by authority: String = "ca", subject: String? = nil, extensions: String, from: String? = nil,
        until: String? = nil
    ) throws {
        let base = "\(folder)/\(name)"
        try save(extensions + "\n", to: "\(base).ext")
        try openssl(
            ["req"] + Self.newKey + [
                "-keyout", "\(base).key", "-out", "\(base).csr", "-subj", "/CN=\(subject ?? name)",
            ])
        let dates = (from.map { ["-startdate", $0] } ?? []) + (until.map { ["-enddate", $0] } ?? [])
        try openssl(
            ["ca", "-batch", "-notext", "-config", "\(folder)/ca.cnf", "-cert", "\(folder)/\(authority).pem"] + [
                "-keyfile", "\(folder)/\(authority).key", "-in", "\(base).csr", "-out", "\(base).pem",
                "-extfile", "\(base).ext",
            ] + dates)
    }

    private func openssl(_ arguments: [String]) throws {
        try TLSChildProcess.run(
            ["env", "FOLDER=\(folder)", "openssl"] + arguments, outputPath: "\(folder)/openssl.log")
    }

    private func save(_ text: String, to path: String) throws {
        let file = unsafe open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        guard file >= 0 else { throw TLSChildProcess.Failure(description: "\(path): errno \(errno)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe write(file, bytes, bytes.count) == bytes.count else {
            throw TLSChildProcess.Failure(description: "\(path): errno \(errno)")
        }
    }

    private func append(_ source: String, to destination: String) throws {
        try TLSChildProcess.run(
            ["sh", "-c", "cat \(source) >> \(destination)"], outputPath: "\(folder)/openssl.log")
    }
}
