import Primitives

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why no daemon has read its configuration again.
package struct ReloadFailure: Error, Sendable, CustomStringConvertible {
    /// One line for the operator.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Asks the daemon of a state directory to read its configuration again, and waits for what it says.
package enum ReloadOrder {
    private static let pause = Duration.milliseconds(20)
    private static let patience = Duration.seconds(10)

    /// Sends the request and returns the daemon's report about the configuration as it stands now.
    ///
    /// Throws what is wrong with the files before the daemon hears of them, and ``ReloadFailure`` where no daemon serves
    /// or none answers for ten seconds.
    package static func reload(_ state: StateDirectory) async throws -> ReloadReport {
        let text = try state.configurationText()
        let configuration = try state.configuration(of: text)
        _ = try state.loadPolicy(configuration.assets, isNoneMeant: configuration.policyIsNone)
        for gateway in configuration.gateways { _ = try Unlocking.gateway(gateway, path: state.path) }
        guard case .running(let process?) = DaemonPresence.look(at: state) else {
            throw ReloadFailure("no daemon serves \(state.root)")
        }
        let last = report(of: process, in: state)?.number ?? 0
        guard kill(process, SIGHUP) == 0 else {
            throw ReloadFailure("process \(process) cannot be signalled: \(FileSystem.message(errno).lowercased())")
        }
        let hash = ReloadReport.hash(of: text)
        let clock = ContinuousClock()
        let end = clock.now + patience
        while clock.now < end {
            if let report = report(of: process, in: state), report.number > last,
                report.configuration == hash || report.problem != nil
            {
                return report
            }
            // The daemon answers by a file: nobody can say when it is there, and looking costs little.
            try await Task.sleep(for: pause)
        }
        throw ReloadFailure("the daemon (process \(process)) has not answered within ten seconds; its log says more")
    }

    private static func report(of process: Int32, in state: StateDirectory) -> ReloadReport? {
        guard let text = try? FileSystem.readText(state.reloadFile), let report = ReloadReport(text),
            report.process == process
        else { return nil }
        return report
    }
}
