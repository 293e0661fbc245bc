#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The folder that holds everything one daemon knows and owns.
///
/// | Entry | What it is |
/// |---|---|
/// | `config.yaml` | the configuration, written by the operator |
/// | `policy.yaml` | the operator's rules, where there are some |
/// | `wallets/` | keystores |
/// | `authority.pem`, `agent-authority.pem` | local authorities: for gateways' hosts, and for agents and listeners |
/// | `ledger.sqlite` | the books, with their log and their index beside them |
/// | `spool/` | unlinked files of long request bodies, unless `spool`, `path` names another folder |
/// | `reload.json` | how the daemon took its last reload |
/// | `chains.json` | how the chains looked at the daemon's last readings |
/// | `tunnels.json` | the tunnels that the daemon has open |
/// | `pots.json` | how what agents share is divided |
/// | `daemon.lock` | held by the daemon that serves |
package struct StateDirectory: Sendable, Hashable {
    /// The folder's path, without a slash at the end.
    package let root: String

    /// Names a folder, which need not exist.
    package init(_ path: String) {
        var root = path
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    /// The folder taken when none is named: `$XDG_STATE_HOME/purser`, or `~/.local/state/purser`; nil without a home.
    ///
    /// `environment` looks a variable up. A relative `XDG_STATE_HOME` does not count (XDG Base Directory Specification).
    package static func standard(environment: (String) -> String?) -> StateDirectory? {
        if let folder = environment("XDG_STATE_HOME"), folder.hasPrefix("/") {
            return StateDirectory(folder + "/purser")
        }
        guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
        return StateDirectory(home + "/.local/state/purser")
    }

    /// The path of an entry; a path that is absolute already stays as it is.
    package func path(_ entry: String) -> String {
        if entry.hasPrefix("/") { return entry }
        return root == "/" ? "/" + entry : "\(root)/\(entry)"
    }

    /// The configuration.
    package var configurationFile: String { path("config.yaml") }
    /// The folder of the keystores.
    package var walletsFolder: String { path("wallets") }
    /// The books.
    package var ledgerFile: String { path("ledger.sqlite") }
    /// The folder of long request bodies.
    package var spoolFolder: String { path("spool") }
    /// How the daemon took its last reload.
    package var reloadFile: String { path("reload.json") }
    /// How the chains looked at the daemon's last readings.
    package var chainsFile: String { path("chains.json") }
    /// The tunnels that the daemon has open.
    var tunnelFile: String { path("tunnels.json") }
    /// How what agents share is divided.
    var potFile: String { path("pots.json") }
    /// The lock of the daemon that serves.
    package var lockFile: String { path("daemon.lock") }

    /// Makes the folder, those above it and `wallets` where they are missing, all with mode 0700, and checks it.
    package func create() throws(StateDirectoryError) {
        try FileSystem.makeFolders(root)
        try check()
        try FileSystem.makeFolders(walletsFolder)
    }

    /// Throws unless the folder exists and nobody but this user and root can write to it and to `wallets/`.
    ///
    /// Whoever can write here can name another wallet's rules, gateways and passphrase file.
    /// Files that are read as a whole, such as the configuration and keystores, are judged when they are opened.
    package func check() throws(StateDirectoryError) {
        var status = stat()
        guard unsafe stat(root, &status) == 0 else {
            throw errno == ENOENT ? .missing(root) : .system("opened", path: root, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(root) }
        try FileSystem.check(status, path: root)
        guard unsafe stat(walletsFolder, &status) == 0 else {
            if errno == ENOENT { return }
            throw .system("opened", path: walletsFolder, code: errno)
        }
        try FileSystem.check(status, path: walletsFolder)
    }

    /// Throws where this user cannot write to the folder: even to read the ledger its log has to stand beside it.
    package func checkWriting() throws(StateDirectoryError) {
        guard unsafe access(root, W_OK) == 0 else { throw .readOnly(root) }
    }

    /// Writes the configuration over what is there.
    package func writeConfiguration(_ text: String) throws(StateDirectoryError) {
        try FileSystem.writeText(text, to: configurationFile, replacing: true)
    }

    /// Writes a new file with mode 0600 and a line end, such as a passphrase; throws `exists` rather than replace one.
    package func writeSecret(_ text: String, name: String) throws(StateDirectoryError) {
        try FileSystem.writeText(text + "\n", to: path(name), replacing: false)
    }
}
