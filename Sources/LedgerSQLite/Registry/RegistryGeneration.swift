import Ledger
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The number of the newest change of agents, tokens and caps, shared by all processes that have the ledger open.
///
/// The number stands in the database; a copy stands in the small file `<ledger>.generation` that every process maps
/// into its memory. Whoever changes the registry writes the new number there before its commit, so that a reader whose
/// snapshot has the number of the file can never have missed a change. A writer that dies before its commit leaves a
/// number ahead of the database: readers then reload in vain until ``SQLiteLedger/registry()`` puts the file right.
///
/// The file is 8 bytes, little-endian. Like the database's index file it must not be deleted while a process runs.
@safe package final class RegistryGeneration: Sendable {
    private static let size = MemoryLayout<UInt64>.size
    /// The mapped file; every access is an atomic load or store, and the mapping lives as long as the object.
    private nonisolated(unsafe) let cell: UnsafeMutablePointer<Atomic<UInt64>>

    /// Maps the file, making it when it is missing.
    ///
    /// Throws for a link, and for what is not a file of its own: whoever made it could choose which file this process
    /// writes to, or change the number.
    init(path: String) throws(LedgerError) {
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = unsafe open(path, flags, LedgerFiles.fileMode)
        guard descriptor >= 0 else {
            throw errno == ELOOP
                ? Self.notOurs(path, "is a link") : LedgerFiles.failure("opened for writing", path: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw LedgerFiles.failure("read", path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.notOurs(path, "is not a file") }
        guard status.st_nlink == 1 else { throw Self.notOurs(path, "has another name too (a hard link)") }
        guard fchmod(descriptor, LedgerFiles.fileMode) == 0 else {
            throw LedgerFiles.failure("made private", path: path)
        }
        if status.st_size < Self.size, ftruncate(descriptor, off_t(Self.size)) != 0 {
            throw LedgerFiles.failure("extended", path: path)
        }
        let memory = unsafe mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw LedgerFiles.failure("mapped", path: path)
        }
        unsafe cell = memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    }

    private static func notOurs(_ path: String, _ fault: String) -> LedgerError {
        .storage("\(path) \(fault), and is not used: remove it while no process has the ledger open")
    }

    deinit {
        unsafe munmap(cell, Self.size)
    }

    /// The number; one atomic load, fit for an event loop.
    package var current: UInt64 {
        UInt64(littleEndian: unsafe cell.pointee.load(ordering: .acquiring))
    }

    /// Shows a number to all processes; only for the holder of the database's write lock.
    func publish(_ number: UInt64) {
        unsafe cell.pointee.store(number.littleEndian, ordering: .releasing)
    }
}
