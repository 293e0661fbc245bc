#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file with mode 0600 that is written beside its place and gets its name once it is whole.
struct PendingFile: Sendable {
    private let path: String
    private let template: [CChar]
    private let descriptor: Int32

    /// Makes an empty file under a name of its own; ``finish(replacing:)`` or ``discard()`` ends it.
    init(_ path: String) throws(StateDirectoryError) {
        var template = Array("\(path).XXXXXX".utf8CString)
        descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else { throw .system("written", path: path, code: errno) }
        self.path = path
        self.template = template
    }

    /// Writes behind what is there.
    func append(_ bytes: [UInt8]) throws(StateDirectoryError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("written", path: path, code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Brings everything to the disk and gives the file its name; throws `exists` rather than replace one unasked.
    func finish(replacing: Bool) throws(StateDirectoryError) {
        guard fsync(descriptor) == 0 else { throw .system("written", path: path, code: errno) }
        // A link fails where a file exists; a rename replaces it.
        let named = unsafe replacing ? rename(template, path) : link(template, path)
        guard named == 0 else {
            throw errno == EEXIST ? .exists(path) : .system("written", path: path, code: errno)
        }
        discard()
    }

    /// Closes the file and takes its first name away.
    func discard() {
        close(descriptor)
        _ = unsafe unlink(template)
    }
}
