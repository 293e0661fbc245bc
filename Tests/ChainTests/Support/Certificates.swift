import TestSupport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A certificate of its own for `localhost`.
enum Certificates {
    /// The `openssl` command failed.
    struct Failure: Error {}

    /// Makes `cert.pem` and `key.pem`.
    static func make(in folder: TemporaryFolder) throws {
        let script = """
            cd \(folder.path) && exec 2>/dev/null &&
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
              -subj /CN=localhost -days 2 -addext subjectAltName=DNS:localhost
            """
        guard unsafe system(script) == 0 else { throw Failure() }
    }
}
