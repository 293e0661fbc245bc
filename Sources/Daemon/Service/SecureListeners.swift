import Logging
import Primitives
import Proxy
import Transport

/// The listeners that speak TLS, with the files that say who they are.
struct SecureListeners: Sendable {
    private let entries: [(listener: Configuration.Listener, files: Files, identity: ListenerIdentity)]

    private struct Files: Sendable {
        let name: String
        let certificate: String
        let key: String
        /// Nil for the local authority.
        let clients: String?
    }

    private let state: StateDirectory

    /// Reads the files of all entries that speak TLS; throws ``StartFailure``.
    init(_ listeners: [Configuration.Listener], state: StateDirectory) throws(StartFailure) {
        self.state = state
        var entries: [(listener: Configuration.Listener, files: Files, identity: ListenerIdentity)] = []
        for listener in listeners {
            guard case .secure(_, let named) = listener else { continue }
            let files = Files(
                name: "\(listener)", certificate: state.path(named.certificate), key: state.path(named.key),
                clients: named.clients.map(state.path))
            entries.append((listener, files, ListenerIdentity(try Self.read(files, state))))
        }
        self.entries = entries
    }

    /// What an entry presents and demands; nil for one that speaks no TLS.
    func identity(of listener: Configuration.Listener) -> ListenerIdentity? {
        entries.first { $0.listener == listener }?.identity
    }

    /// Reads all files again; what they hold now is put in force by the second call alone.
    func readAgain() throws(StartFailure) -> Renewal {
        var contexts: [(ListenerIdentity, TLSServerContext)] = []
        for entry in entries { contexts.append((entry.identity, try Self.read(entry.files, state))) }
        return Renewal(contexts: contexts)
    }

    /// What was read and is not in force yet.
    struct Renewal: Sendable {
        fileprivate let contexts: [(ListenerIdentity, TLSServerContext)]

        /// New connections get it from here on; the open ones keep what they began with.
        func take() {
            for (identity, context) in contexts { identity.replace(with: context) }
        }
    }

    /// Says which certificates are over, or nearly.
    func remark(at now: Int64, _ logger: Logger) {
        for entry in entries {
            guard let end = entry.identity.current.notAfter, end < now + Self.warning else { continue }
            logger.warning(
                "the certificate of a listener \(end < now ? "has ended" : "ends soon")",
                metadata: ["listener": "\(entry.files.name)", "end": "\(Timestamp(seconds: end))"])
        }
    }

    /// How long before its end a certificate is worth a word, in seconds.
    private static let warning: Int64 = 14 * 86_400

    /// Throws where the files of an entry are such that `serve` would refuse them; for others than TLS nothing.
    static func check(_ listener: Configuration.Listener, state: StateDirectory) throws(StartFailure) {
        _ = try SecureListeners([listener], state: state)
    }

    private static func read(_ files: Files, _ state: StateDirectory) throws(StartFailure) -> TLSServerContext {
        do {
            let chain = try FileSystem.readText(files.certificate)
            let key = try FileSystem.readText(files.key, isSecret: true)
            return try TLSServerContext(
                chain: Array(chain.utf8), key: Array(key.utf8), clients: try clients(files, state))
        } catch {
            throw StartFailure("\(files.name): \(error)")
        }
    }

    private static func clients(_ files: Files, _ state: StateDirectory) throws -> [UInt8] {
        if let file = files.clients { return Array(try FileSystem.readText(file).utf8) }
        do throws(StateDirectoryError) {
            return try AgentAuthority.certificatePEM(in: state)
        } catch {
            throw StartFailure("\(error): name a `client-ca`, or have `purser ca client` make certificates")
        }
    }
}
