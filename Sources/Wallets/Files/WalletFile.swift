#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Keystores on disk.
package enum WalletFile {
    /// One file of a folder that looks like a keystore, whether it can be read or not.
    package struct Entry: Sendable {
        /// The file's name without `.json`.
        package let name: String
        /// The file's path: the folder's, a slash, and the file's name.
        package let path: String
        /// What is in it.
        package let content: Result<KeystoreV3, WalletFileError>
    }

    /// Reads a keystore, unless somebody else can write to it: its key would not have to be this user's.
    package static func read(path: String) throws(WalletFileError) -> KeystoreV3 {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, code: errno) }
        if let fault = FileFault(owner: status.st_uid, mode: UInt32(status.st_mode)) {
            throw .untrusted(path: path, fault)
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= KeystoreV3.maximumBytes {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe readOnce(descriptor, into: $0) }
            guard count >= 0 else { throw .unreadable(path: path, code: errno) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        do {
            return try KeystoreV3(parsing: bytes)
        } catch {
            throw .keystore(path: path, error)
        }
    }

    /// Lists what looks like a keystore in a folder, by name: `*.json` and go-ethereum's `UTC--*`.
    package static func list(folder: String) throws(WalletFileError) -> [Entry] {
        guard let stream = unsafe opendir(folder) else { throw .unreadable(path: folder, code: errno) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), name.hasSuffix(".json") || name.hasPrefix("UTC--") { names.append(name) }
        }
        return names.sorted().map { name in
            let path = folder + "/" + name
            let content = Result { () throws(WalletFileError) in try read(path: path) }
            return Entry(name: name.hasSuffix(".json") ? String(name.dropLast(5)) : name, path: path, content: content)
        }
    }

    /// Writes a keystore to a new file with mode 0600 that is whole and on disk when this returns, or not there at all.
    ///
    /// The text goes to a temporary file beside it first. The file gets its name by a hard link and not by renaming,
    /// since renaming would replace a wallet of the same name.
    package static func create(_ keystore: KeystoreV3, at path: String) throws(WalletFileError) {
        let (folder, name) = split(path)
        var template = Array("\(folder)/.\(name).XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
        defer {
            close(descriptor)
            _ = unsafe unlink(template)
        }
        guard fchmod(descriptor, 0o600) == 0, writeAll(keystore.text, to: descriptor), fsync(descriptor) == 0 else {
            throw .unwritable(path: path, code: errno)
        }
        guard unsafe link(template, path) == 0 else {
            throw errno == EEXIST ? .exists(path: path) : .unwritable(path: path, code: errno)
        }
        guard syncFolder(folder) else { throw .unwritable(path: path, code: errno) }
    }

    private static func split(_ path: String) -> (folder: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), path[path.index(after: slash)...])
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Makes the new name itself survive a power cut.
    private static func syncFolder(_ folder: String) -> Bool {
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }
}
