package import SystemCrypto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where a passphrase, or a raw key to import, comes from; never an argument or an environment variable.
package enum PassphraseSource: Sendable, Hashable {
    /// A file that only its owner can read.
    case file(path: String)
    /// A descriptor that the caller opened and keeps, such as `3` with `3<file` in a shell.
    case fileDescriptor(Int32)
    /// A credential of the service manager (`LoadCredential=` in systemd), by its name.
    case systemdCredential(name: String)
    /// A person at the controlling terminal, asked twice where `confirm` is set.
    case terminalPrompt(confirm: Bool)

    /// Longer secrets are refused.
    package static let maximumBytes = 1024

    /// Reads the secret without one newline at its end; an empty one is an error.
    ///
    /// `prompt` is what a person sees, without the colon.
    package func read(prompt: String = "Passphrase") throws(SecretReadError) -> SecretBytes {
        switch self {
        case .file(let path):
            return try SecretFile.read(path: path, rule: .ownerOnly)
        case .fileDescriptor(let descriptor):
            return try SecretFile.read(
                descriptor: descriptor, source: "descriptor \(descriptor)", rule: .ownerOnly)
        case .systemdCredential(let name):
            let folder = unsafe getenv("CREDENTIALS_DIRECTORY").map { unsafe String(cString: $0) }
            return try Self.credential(name: name, folder: folder)
        case .terminalPrompt(let confirm):
            return try TerminalPrompt.ask(prompt: prompt, confirm: confirm)
        }
    }

    static func credential(name: String, folder: String?) throws(SecretReadError) -> SecretBytes {
        guard let folder, folder.hasPrefix("/"), !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0x2f)
        else { throw .noCredential(name: name) }
        return try SecretFile.read(path: folder + "/" + name, rule: .credential)
    }
}
