import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why a connection did not come about, in words without addresses or other detail.
enum ConnectProblem {
    /// Describes an error that a connection attempt ended with.
    static func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            guard let attempt = error.connectionErrors.first else { return "the host name could not be resolved" }
            return describe(attempt.error)
        case let error as IOError:
            return unsafe String(cString: strerror(error.errnoCode)).lowercased()
        case is ChannelError:
            return "the connection was closed or timed out"
        default:
            return "the host name could not be resolved"
        }
    }
}

extension UpstreamFailure {
    /// What an error means that a connection attempt ended with.
    package init(connecting error: any Error) {
        if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty,
            error.dnsAError is AddressRefused || error.dnsAAAAError is AddressRefused
        {
            self = .addressRefused
        } else if let error = error as? NIOConnectionError, error.connectionErrors.isEmpty,
            let failure = (error.dnsAError ?? error.dnsAAAAError) as? LookupFailure
        {
            self = failure == .tooMany ? .tooManyLookups : .connect("no name server answered in time")
        } else if let error = error as? TLSError {
            self = .tls(error.description)
        } else if case .connectTimeout? = error as? ChannelError {
            self = .connectTimeout
        } else {
            self = .connect(ConnectProblem.describe(error))
        }
    }
}
