internal import SystemCrypto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Asks a person for a secret with the terminal's echo off.
enum TerminalPrompt {
    /// Asks at the controlling terminal, whatever standard input and output are.
    static func ask(prompt: String, confirm: Bool) throws(SecretReadError) -> SecretBytes {
        let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .noTerminal }
        defer { close(descriptor) }
        return try ask(descriptor: descriptor, prompt: prompt, confirm: confirm)
    }

    /// Asks at a terminal that is open already.
    static func ask(descriptor: Int32, prompt: String, confirm: Bool) throws(SecretReadError) -> SecretBytes {
        let secret = try line(descriptor: descriptor, prompt: prompt)
        guard confirm else { return secret }
        let again = try line(descriptor: descriptor, prompt: "\(prompt) again")
        let same = secret.withBytes { first in again.withBytes { constantTimeEquals(first, $0) } }
        guard same else { throw .confirmationDiffers }
        return secret
    }

    private static func line(descriptor: Int32, prompt: String) throws(SecretReadError) -> SecretBytes {
        var original = termios()
        guard unsafe tcgetattr(descriptor, &original) == 0 else { throw .noTerminal }
        var silent = original
        // Keys arrive one by one and Ctrl-C as a character, so that no signal can leave the echo off behind us.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard unsafe tcsetattr(descriptor, TCSAFLUSH, &silent) == 0 else { throw .noTerminal }
        defer {
            _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &original)
            put("\n", descriptor)
        }
        put("\(prompt): ", descriptor)
        return try keys(descriptor: descriptor)
    }

    private static func keys(descriptor: Int32) throws(SecretReadError) -> SecretBytes {
        var failure: SecretReadError?
        do throws(SecretMemoryError) {
            return try SecretBytes(capacity: PassphraseSource.maximumBytes) { span in
                var filled = 0
                while true {
                    var key: UInt8 = 0
                    let count = unsafe withUnsafeMutableBytes(of: &key) { unsafe readOnce(descriptor, into: $0) }
                    switch (count, key) {
                    case (1, 0x0a), (1, 0x0d):
                        if filled == 0 { failure = .empty(source: "the passphrase") }
                        return failure == nil ? filled : nil
                    case (1, 0x08), (1, 0x7f):
                        while filled > 0 {
                            filled -= 1
                            if span[filled] & 0xc0 != 0x80 { break }
                        }
                    case (1, 0x15):
                        filled = 0
                    case (1, 0x03), (1, 0x04), (1, 0x1c):
                        failure = .cancelled
                        return nil
                    case (1, _) where filled < PassphraseSource.maximumBytes:
                        span[filled] = key
                        filled += 1
                    case (1, _):
                        failure = .tooLong(source: "the passphrase")
                        return nil
                    default:
                        failure = .cancelled
                        return nil
                    }
                }
            }
        } catch {
            throw failure ?? .memory(error)
        }
    }

    private static func put(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
    }
}
