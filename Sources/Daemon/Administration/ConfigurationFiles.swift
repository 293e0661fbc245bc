import Policy
import Primitives
import Proxy
import Transport
import Wallets
import X402

/// What a configuration that is well-formed leads to.
package enum ConfigurationFiles {
    /// One line for each file that `serve` would refuse, in the configuration's order, found by the same readers.
    ///
    /// Credentials of systemd exist only inside the service and are not looked at; keystores are read, not opened.
    package static func problems(of configuration: Configuration, state: StateDirectory) -> [String] {
        var problems: [String] = []
        func check(_ key: String, _ file: String, _ read: (String) throws -> Void) {
            let path = state.path(file)
            guard FileSystem.exists(path) else {
                problems.append("\(key): there is no \(path)")
                return
            }
            do {
                try read(path)
            } catch {
                problems.append("\(key): \(error)")
            }
        }
        for gateway in configuration.gateways {
            for document in gateway.signerDocuments {
                check("gateways.\(gateway.name).signers", document.file) { _ in
                    _ = try Unlocking.signerDocument(document, path: state.path)
                }
            }
            guard let credential = gateway.credential else { continue }
            check("gateways.\(gateway.name).credential.file", credential.file) { _ in
                _ = try Unlocking.credential(credential, path: state.path)
            }
        }
        for wallet in configuration.wallets {
            check("wallets.\(wallet.name).keystore", wallet.keystore) { _ = try WalletFile.read(path: $0) }
            if case .file(let file) = wallet.passphrase {
                check("wallets.\(wallet.name).passphrase-file", file) { path in
                    _ = try PassphraseSource.file(path: path).read()
                }
            }
        }
        for (index, listener) in configuration.listen.enumerated() {
            do throws(StartFailure) {
                try SecureListeners.check(listener, state: state)
            } catch {
                problems.append("listen[\(index)]: \(error)")
            }
        }
        if configuration.policyIsNone, FileSystem.hasName(state.policyFile) {
            problems.append("\(PolicyPresenceError.contradiction(file: state.policyFile))")
        }
        if let file = configuration.trustFile { check("trust-file", file, Unlocking.checkTrustFile) }
        return problems
    }

    /// SHA-256 of a pinned document as it is now, 64 hex digits; nil for one that `serve` would refuse.
    package static func digest(of document: Configuration.SignerDocument, state: StateDirectory) -> String? {
        (try? Unlocking.signerDocument(document, path: state.path)).map { Hex.encode($0.digest.bytes) }
    }

    /// One line for each thing that `serve` accepts and that is hardly meant.
    package static func remarks(on configuration: Configuration) -> [String] {
        var remarks: [String] = []
        for case .address(let listen) in configuration.listen
        where HostAndPort(listen.description)?.host.isLoopback != true {
            remarks.append("listen: \(listen) is not a loopback address: tokens cross the network unencrypted")
        }
        let hasSocket = configuration.listen.contains { listener in
            switch listener {
            case .socket, .systemd: true
            case .address, .secure: false
            }
        }
        if configuration.peers.agents.keys.contains(where: \.isLocal), !hasSocket {
            remarks.append("peers: only who connects to a Unix socket is known by user or group, and `listen` has none")
        }
        let hasTLS = configuration.listen.contains { if case .secure = $0 { true } else { false } }
        if configuration.peers.agents.keys.contains(where: { !$0.isLocal }), !hasTLS {
            remarks.append("peers: only who connects by TLS is known by a certificate, and `listen` has no such place")
        }
        if configuration.gateways.isEmpty { remarks.append("gateways: there are none, so no request is forwarded") }
        if configuration.wallets.isEmpty { remarks.append("wallets: there are none, so nothing is paid") }
        let networks = Set(configuration.chains.map(\.network))
        for gateway in configuration.gateways where gateway.unproven == .releaseAtExpiry {
            remarks.append(
                "gateways.\(gateway.name).unproven: caps are not proven for payments through \(gateway.name)")
        }
        for gateway in configuration.gateways {
            for identifier in gateway.uncheckedSigners {
                remarks.append(
                    "gateways.\(gateway.name).signers: the key of \(identifier) stands in a document, and without a copy of "
                        + "it (`{ did: \"\(identifier)\", document: FILE }`) nothing that it signs is verified")
            }
        }
        for chain in configuration.chains where chain.endpoints.count == 1 {
            remarks.append(
                "chains.\(chain.network).rpc: there is one endpoint, which nobody contradicts when it is wrong")
        }
        for chain in configuration.chains where !chain.redundant.isEmpty {
            remarks.append(
                "chains.\(chain.network).rpc: \(chain.redundantNames.joined(separator: ", ")) "
                    + "\(chain.redundant.count == 1 ? "is" : "are") not asked: another entry has the same host, and a "
                    + "host agrees only with itself")
        }
        let paid = Set(configuration.wallets.flatMap(\.pay).map(\.network))
        for network in paid.subtracting(networks).sorted() where !networks.isEmpty {
            remarks.append("chains: there is no entry for \(network), so unproven payments there are never proven")
        }
        for wallet in configuration.wallets {
            for (index, rule) in wallet.pay.enumerated() {
                let assets = configuration.assets.assets.filter(rule.matches)
                guard assets.allSatisfy({ $0.transfer == .permit2 }), !networks.contains(rule.network) else { continue }
                remarks.append(
                    "wallets.\(wallet.name).pay[\(index)]: `\(rule)` moves within an allowance to Permit2, and without a "
                        + "`chains` entry only the seller finds out that one is missing")
            }
            for (index, rule) in wallet.sponsoredApprovals.enumerated() where !networks.contains(rule.network) {
                remarks.append(
                    "wallets.\(wallet.name).sponsored-approvals[\(index)]: without a `chains` entry for \(rule.network) "
                        + "no approval is ever made")
            }
        }
        return remarks
    }
}
