internal import SystemCrypto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads short secrets from descriptors straight into locked memory.
enum SecretFile {
    /// Who may be able to read a secret's file.
    enum Rule {
        /// Nobody but its owner.
        case ownerOnly
        /// Its group too: systemd grants a service access by an ACL, whose mask shows up in the group's bits.
        case credential
    }

    /// Opens a file, checks it through the descriptor that is then read, and reads it.
    static func read(path: String, rule: Rule) throws(SecretReadError) -> SecretBytes {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .unreadable(source: path, code: errno) }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, source: path, rule: rule)
    }

    /// Reads an open descriptor to its end; files are checked, pipes and sockets have no readers to fear.
    static func read(descriptor: Int32, source: String, rule: Rule) throws(SecretReadError) -> SecretBytes {
        try check(descriptor: descriptor, source: source, rule: rule)
        // Room for the longest secret, its line end, and one byte that betrays a longer one.
        let capacity = PassphraseSource.maximumBytes + 3
        var failure: SecretReadError?
        do throws(SecretMemoryError) {
            return try SecretBytes(capacity: capacity) { span in
                var filled = 0
                while filled < capacity {
                    let count = unsafe span.withUnsafeMutableBytes { buffer in
                        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                        return unsafe readOnce(descriptor, into: rest)
                    }
                    if count < 0 {
                        failure = .unreadable(source: source, code: errno)
                        return nil
                    }
                    if count == 0 { break }
                    filled += count
                }
                if filled > 0, span[filled - 1] == UInt8(ascii: "\n") {
                    filled -= 1
                    if filled > 0, span[filled - 1] == UInt8(ascii: "\r") { filled -= 1 }
                }
                if filled == 0 { failure = .empty(source: source) }
                if filled > PassphraseSource.maximumBytes { failure = .tooLong(source: source) }
                return failure == nil ? filled : nil
            }
        } catch {
            throw failure ?? .memory(error)
        }
    }

    private static func check(descriptor: Int32, source: String, rule: Rule) throws(SecretReadError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(source: source, code: errno) }
        let kind = status.st_mode & S_IFMT
        if kind == S_IFIFO || kind == S_IFSOCK { return }
        guard kind == S_IFREG else { throw .notAFile(path: source) }
        let foreign: mode_t = rule == .ownerOnly ? 0o077 : 0o037
        guard status.st_mode & foreign == 0 else {
            throw .readableByOthers(path: source, mode: UInt32(status.st_mode) & 0o7777)
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw .foreignOwner(path: source, owner: status.st_uid)
        }
    }
}
