import Wallets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The few things a state directory needs from the file system.
enum FileSystem {
    /// Longer files are not read.
    static let maximumBytes = 1 << 20

    /// The system's own words for an `errno`.
    static func message(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether an `errno` says that there is no such file.
    static func isMissing(_ code: Int32) -> Bool { code == ENOENT }

    /// Makes a folder and those above it where they are missing, with mode 0700.
    static func makeFolders(_ path: String) throws(StateDirectoryError) {
        if unsafe access(path, F_OK) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolders(String(path[..<slash])) }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("made", path: path, code: errno) }
    }

    /// Whether there is something of that name.
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether a folder has an entry of that name, be it a link to nowhere; also true where that cannot be found out.
    static func hasName(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 || errno != ENOENT
    }

    /// Throws where somebody else than this user and root can write to what `status` describes.
    static func check(_ status: stat, path: String) throws(StateDirectoryError) {
        switch FileFault(owner: status.st_uid, mode: UInt32(status.st_mode)) {
        case .foreignOwner(let owner): throw .foreignOwner(path, owner: owner)
        case .writableByOthers(let mode): throw .writableByOthers(path, mode: mode)
        case nil: return
        }
    }

    /// Throws unless a file can be opened and nobody but this user and root can write to it.
    static func check(_ path: String) throws(StateDirectoryError) {
        close(try openChecked(path))
    }

    /// Opens a file that nobody but this user and root can write to, judged by what was opened.
    private static func openChecked(_ path: String) throws(StateDirectoryError) -> Int32 {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing(path) : .system("read", path: path, code: errno)
        }
        do throws(StateDirectoryError) {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0 else { throw .system("read", path: path, code: errno) }
            try check(status, path: path)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Reads a text of at most ``maximumBytes`` that nobody but this user and root can change, nor see where it is secret.
    static func readText(_ path: String, isSecret: Bool = false) throws(StateDirectoryError) -> String {
        let descriptor = try openChecked(path)
        defer { close(descriptor) }
        if isSecret {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0 else { throw .system("read", path: path, code: errno) }
            guard status.st_mode & 0o077 == 0 else {
                throw .readableByOthers(path, mode: UInt32(status.st_mode) & 0o7777)
            }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= maximumBytes {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read", path: path, code: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        guard bytes.count <= maximumBytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw .notText(path)
        }
        return text
    }

    /// Writes a text with mode 0600 to a file beside the target, then gives it the target's name.
    static func writeText(_ text: String, to path: String, replacing: Bool) throws(StateDirectoryError) {
        let file = try PendingFile(path)
        do throws(StateDirectoryError) {
            try file.append(Array(text.utf8))
            try file.finish(replacing: replacing)
        } catch {
            file.discard()
            throw error
        }
    }

    /// Removes a file, or a folder with everything in it; links are removed and not followed.
    static func remove(_ path: String) throws(StateDirectoryError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unsafe unlink(path) == 0 else { throw .system("removed", path: path, code: errno) }
            return
        }
        for name in try entries(of: path) { try remove("\(path)/\(name)") }
        guard unsafe rmdir(path) == 0 else { throw .system("removed", path: path, code: errno) }
    }

    /// The names in a folder; none when there is no such folder.
    static func entries(of path: String) throws(StateDirectoryError) -> [String] {
        guard let folder = unsafe opendir(path) else {
            guard errno != ENOENT else { return [] }
            throw .system("listed", path: path, code: errno)
        }
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
}
