#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A folder of its own for one test, removed with everything in it when the last reference goes.
package final class TemporaryFolder: Sendable {
    /// Why a file could not be made or read; carries `errno`.
    package struct Failure: Error {
        let path: String
        let code: Int32
    }

    /// The folder's absolute path, without a slash at the end.
    package let path: String

    /// Makes an empty folder with mode 0700.
    package init() throws {
        var template = Array("/tmp/purser-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure(path: "/tmp", code: errno) }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        Self.remove(path)
    }

    /// The path of an entry, which need not exist.
    package func path(_ name: String) -> String {
        path + "/" + name
    }

    /// Writes a file with exactly this mode and returns its path.
    @discardableResult
    package func write(_ bytes: some Collection<UInt8>, to name: String, mode: UInt32 = 0o600) throws -> String {
        let path = path(name)
        guard let file = unsafe fopen(path, "wb") else { throw Failure(path: path, code: errno) }
        let bytes = Array(bytes)
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, written == bytes.count, unsafe chmod(path, mode_t(mode)) == 0 else {
            throw Failure(path: path, code: errno)
        }
        return path
    }

    /// The lines of a text file; none when it does not exist.
    package func lines(of name: String) throws -> [String] {
        guard let file = unsafe fopen(path(name), "rb") else { return [] }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    /// The permission bits of an entry.
    package func mode(of name: String) throws -> UInt32 {
        var status = stat()
        guard unsafe lstat(path(name), &status) == 0 else { throw Failure(path: path(name), code: errno) }
        return UInt32(status.st_mode) & 0o7777
    }

    /// The names of all entries, hidden ones included, sorted.
    package func entries() throws -> [String] {
        try Self.entries(of: path)
    }

    private static func entries(of path: String) throws -> [String] {
        guard let folder = unsafe opendir(path) else { throw Failure(path: path, code: errno) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        guard unsafe unlink(path) != 0 else { return }
        for name in (try? entries(of: path)) ?? [] { remove(path + "/" + name) }
        _ = unsafe rmdir(path)
    }
}
