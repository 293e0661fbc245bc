internal import COpenSSL

/// A key or a passphrase in memory that is locked, read-only once filled, absent from core dumps, and wiped at the end.
///
/// Its bytes are lent to closures as spans. They never become an `Array` or a `String`, and the type has no
/// description of them.
@safe package final class SecretBytes: Sendable {
    /// How many bytes the secret has.
    package let count: Int
    // Sealed read-only before `init` returns, so sharing it between threads is sound; `deinit` has the last reference.
    nonisolated(unsafe) private let pages: LockedPages

    /// Makes a secret of up to `capacity` bytes (at most 1 MiB) that `fill` writes in place.
    ///
    /// `fill` gets zeroed memory and returns how many bytes from the start belong to the secret, or nil to give up.
    package init(capacity: Int, fill: (inout MutableSpan<UInt8>) -> Int?) throws(SecretMemoryError) {
        let pages = try unsafe LockedPages.map(count: capacity)
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: pages.start, count: capacity)
        var span = unsafe buffer.bindMemory(to: UInt8.self).mutableSpan
        let filled = fill(&span)
        do throws(SecretMemoryError) {
            guard let filled, filled >= 0, filled <= capacity else { throw .notFilled }
            try unsafe pages.seal()
            self.count = filled
        } catch {
            unsafe pages.wipeAndUnmap()
            throw error
        }
        unsafe self.pages = pages
    }

    deinit {
        unsafe pages.wipeAndUnmap()
    }

    /// Makes a secret of fresh random bytes from OpenSSL's private generator, such as a new key.
    package static func random(count: Int) throws(SecretMemoryError) -> SecretBytes {
        var available = false
        let secret = try SecretBytes(capacity: count) { span in
            unsafe span.withUnsafeMutableBufferPointer { buffer in
                available = unsafe RAND_priv_bytes(buffer.baseAddress, Int32(count)) == 1
            }
            return count
        }
        guard available else { throw .randomnessUnavailable }
        return secret
    }

    /// Moves bytes that already are in ordinary memory: they are overwritten and the array is emptied.
    ///
    /// Only for bytes that cannot come in any other way; copies that were made earlier stay where they are.
    package static func copyAndWipe(_ bytes: inout [UInt8]) throws(SecretMemoryError) -> SecretBytes {
        defer {
            unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
            bytes = []
        }
        return try SecretBytes(capacity: max(bytes.count, 1)) { span in
            for index in bytes.indices { span[index] = bytes[index] }
            return bytes.count
        }
    }

    /// Whether another secret has the same bytes; takes the same time wherever two of one length differ.
    package func hasSameBytes(as other: SecretBytes) -> Bool {
        guard count == other.count else { return false }
        return unsafe CRYPTO_memcmp(pages.start, other.pages.start, count) == 0
    }

    /// Lends the bytes; they must not be copied out of the closure.
    package func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let buffer = unsafe UnsafeRawBufferPointer(start: pages.start, count: count)
        return try unsafe body(buffer.bindMemory(to: UInt8.self).span)
    }
}
