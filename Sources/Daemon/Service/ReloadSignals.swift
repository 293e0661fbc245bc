import Dispatch

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The operator, or the service manager, asks for the configuration to be read again.
package enum ReloadSignals {
    /// Each SIGHUP from now on; several that come while one is being served count as one.
    package static func stream() -> AsyncStream<Void> {
        signal(SIGHUP, SIG_IGN)
        return AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
            // A source lives as long as somebody holds it: this one as long as the process.
            source.setEventHandler { withExtendedLifetime(source) { _ = continuation.yield() } }
            source.resume()
        }
    }
}
