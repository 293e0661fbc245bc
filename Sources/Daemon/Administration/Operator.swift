#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Who gives a command.
package enum Operator {
    /// Bytes for one entry of the system's list of users.
    private static let entrySize = 16_384

    /// How the journal names the user of this process: `user:` and the login name, or `uid:` and the number of one that
    /// the system has no name for.
    package static var name: String { name(ofUser: geteuid()) }

    /// How the journal names a user of the system.
    package static func name(ofUser number: UInt32) -> String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: entrySize)
        let code = unsafe getpwuid_r(number, &entry, &buffer, entrySize, &found)
        guard code == 0, let found = unsafe found, let name = unsafe found.pointee.pw_name else {
            return "uid:\(number)"
        }
        return "user:\(unsafe String(cString: name))"
    }
}
