import Dispatch
import Synchronization
import SystemCrypto
import TestSupport
import Testing

@testable import Wallets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Asking at a terminal")
struct TerminalTests {
    /// A terminal whose other end the test holds.
    private struct PseudoTerminal: ~Copyable {
        let keyboard: Int32
        let terminal: Int32

        init() throws {
            var ends: (keyboard: Int32, terminal: Int32) = (-1, -1)
            let opened = unsafe openpty(&ends.keyboard, &ends.terminal, nil, nil, nil)
            try #require(opened == 0)
            self.keyboard = ends.keyboard
            self.terminal = ends.terminal
        }

        deinit {
            close(terminal)
            close(keyboard)
        }
    }

    /// Types once the prompt stands there; returns everything that the screen showed.
    private static func type(_ entries: [String], at keyboard: Int32) -> String {
        var screen: [UInt8] = []
        for (index, entry) in entries.enumerated() {
            while screen.filter({ $0 == UInt8(ascii: ":") }).count <= index {
                var chunk = [UInt8](repeating: 0, count: 256)
                let count = unsafe read(keyboard, &chunk, chunk.count)
                guard count > 0 else { return String(decoding: screen, as: UTF8.self) }
                screen.append(contentsOf: chunk[..<count])
            }
            let bytes = Array(entry.utf8)
            _ = unsafe write(keyboard, bytes, bytes.count)
        }
        return String(decoding: screen, as: UTF8.self)
    }

    /// Asks with someone typing, then looks at what the terminal showed and whether it echoes again.
    private func ask(_ entries: [String], confirm: Bool = false) throws -> Result<String, SecretReadError> {
        let pair = try PseudoTerminal()
        let keyboard = pair.keyboard
        // Both ends block, so the typist needs a thread that the tests' own pool does not own.
        let typed = Mutex("")
        let done = DispatchSemaphore(value: 0)
        DispatchQueue(label: "typist").async {
            let screen = Self.type(entries, at: keyboard)
            typed.withLock { $0 = screen }
            done.signal()
        }
        let answer = Result { () throws(SecretReadError) in
            try text(TerminalPrompt.ask(descriptor: pair.terminal, prompt: "Passphrase", confirm: confirm))
        }
        done.wait()
        #expect(!typed.withLock { $0 }.contains("s3cret"))
        var settings = termios()
        #expect(unsafe tcgetattr(pair.terminal, &settings) == 0)
        let modes = tcflag_t(ECHO | ICANON | ISIG)
        #expect(settings.c_lflag & modes == modes)
        return answer
    }

    @Test(
        "keys are taken silently, corrections work",
        arguments: [
            ("s3cret\r", "s3cret"), ("s3cret\n", "s3cret"), ("s3cretx\u{7f}\r", "s3cret"),
            ("wrong\u{15}s3cret\r", "s3cret"),
            ("s3cret₮\u{8}\r", "s3cret"), ("\u{7f}s3cret\r", "s3cret"),
        ])
    func typing(keys: String, passphrase: String) throws {
        #expect(try ask([keys]) == .success(passphrase))
    }

    @Test("Ctrl-C, Ctrl-D and an empty line give nothing, and the echo is back on")
    func cancelling() throws {
        #expect(try ask(["s3\u{3}"]) == .failure(.cancelled))
        #expect(try ask(["\u{4}"]) == .failure(.cancelled))
        #expect(try ask(["\r"]) == .failure(.empty(source: "the passphrase")))
    }

    @Test("a new passphrase is asked for twice and has to be the same")
    func confirming() throws {
        #expect(try ask(["s3cret\r", "s3cret\r"], confirm: true) == .success("s3cret"))
        #expect(try ask(["s3cret\r", "s3creT\r"], confirm: true) == .failure(.confirmationDiffers))
    }
}
