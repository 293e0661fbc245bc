import Daemon
import Primitives

/// Configurations, for people and for programs; no key and no secret part of a URL is ever shown.
enum ConfigurationOutput {
    /// Adds a gateway's members to an object; `state` is where its signers' documents are.
    static func write(_ gateway: Configuration.GatewayEntry, state: StateDirectory, to text: inout JSONText) {
        text.field("gateway", gateway.name)
        text.field("url", gateway.url)
        text.strings("paths", gateway.paths)
        text.field("billing", gateway.billingWord)
        if let count = gateway.mostConnections { text.field("max_connections", Int64(count)) }
        text.field("max_idle_connections", Int64(gateway.mostIdleConnections))
        text.strings("credential_methods", gateway.credentialMethods)
        if let bytes = gateway.longestRequestBody { text.field("max_request_body", Int64(bytes)) }
        if let time = gateway.totalMilliseconds { text.field("total_timeout_ms", time) }
        text.field("http2", gateway.allowsHTTP2)
        text.field("upgrades", gateway.allowsUpgrades)
        text.field("max_validity", gateway.longestWindow)
        text.field("max_payment_usd", gateway.largestPayment.description)
        text.strings("payees", gateway.payees)
        text.field("new_payee", gateway.newPayeeWord)
        text.field("higher_price", gateway.higherPriceWord)
        text.field("learned_price", gateway.learnedPriceWord)
        text.field("trust_partial", gateway.trustsPartial)
        text.field("trim_entry", gateway.trimsEntry)
        text.field("sign_in", gateway.signsIn)
        text.field("sign_ins_per_hour", Int64(gateway.signInsPerHour))
        text.strings("signers", gateway.signers)
        text.objects("signer_documents", gateway.signerDocuments) { text, document in
            text.field("did", document.identifier)
            text.field("document", document.file)
            text.field("sha256", optional: ConfigurationFiles.digest(of: document, state: state))
            text.field("pinned_sha256", optional: document.digestWord)
        }
        text.strings("signers_not_verifiable", gateway.uncheckedSigners)
        text.strings("profiles", gateway.profileWords)
        text.strings("spenders", gateway.spenders)
        text.field("stop_after_rejections", gateway.rejectionLimit)
        text.field("repeat_after_failure", gateway.failurePause)
        text.field("unproven", gateway.unproven.rawValue)
    }

    /// Adds a chain's members to an object.
    static func write(_ chain: Configuration.ChainEntry, to text: inout JSONText) {
        text.field("network", chain.network)
        text.strings("rpc", chain.endpointNames)
        text.strings("not_asked", chain.redundantNames)
        text.field("agree", chain.agreementWord)
        text.field("endpoints_needed", Int64(chain.neededEndpoints))
        text.field("survives_lying", Int64(chain.survivedLiars))
        text.field("survives_down", Int64(chain.survivedOutages))
        text.field("finality", chain.finalityWord)
        text.field("blocks_per_second", Int64(clamping: chain.blocksPerSecond))
        text.strings("spenders", chain.spenderWords)
    }

    /// Adds where agents connect to, the first place once more by itself.
    static func writeListeners(_ configuration: Configuration, to text: inout JSONText) {
        let listeners = configuration.listen.map(\.description)
        text.field("listen", optional: listeners.first)
        text.strings("listeners", listeners)
    }

    /// Adds everything to an object; `state` is where the configuration's files are.
    static func write(_ configuration: Configuration, state: StateDirectory, to text: inout JSONText) {
        writeListeners(configuration, to: &text)
        text.objects("peers", configuration.peerWords) { text, peer in
            text.field("peer", peer.peer)
            text.field("agent", peer.agent)
        }
        let counts = configuration.connectionCounts
        text.object("connections") { text in
            text.field("total", Int64(counts.total))
            text.field("per_agent", Int64(counts.perAgent))
        }
        let spool = configuration.spoolWords
        text.object("spool") { text in
            text.field("total_bytes", Int64(spool.total))
            text.field("path", optional: spool.path)
        }
        let pots = configuration.paymentPotWords
        text.object("learned_prices") { $0.field("total", Int64(pots.prices)) }
        text.object("approval_turns") { $0.field("total", Int64(pots.turns)) }
        let kept = configuration.keptAnswerWords
        text.object("kept_answers") { text in
            text.field("each_bytes", Int64(kept.each))
            text.field("total_bytes", Int64(kept.total))
            text.field("time_ms", kept.milliseconds)
        }
        text.strings("hosts", configuration.hosts)
        text.objects("gateways", configuration.gateways) { write($1, state: state, to: &$0) }
        text.objects("wallets", configuration.wallets) { text, wallet in
            text.field("wallet", wallet.name)
            text.field("keystore", wallet.keystore)
            text.strings("pay", wallet.payWords)
            text.strings("sponsored_approvals", wallet.sponsoredApprovalWords)
        }
        text.objects("chains", configuration.chains) { write($1, to: &$0) }
        text.field("log_level", configuration.logLevelWord)
    }

    /// Prints where the daemon listens, what it reaches and what it reads.
    static func show(_ configuration: Configuration) {
        Facts.show(
            configuration.listen.map { (name: "listens on", value: $0.words) }
                + [
                    (
                        name: "connections",
                        value:
                            "\(configuration.connectionCounts.total), of one agent \(configuration.connectionCounts.perAgent)"
                    )
                ]
                + configuration.peerWords.map { (name: "without token", value: "\($0.peer) is \($0.agent)") })
        Console.print("")
        showGateways(configuration.gateways)
        guard !configuration.chains.isEmpty else { return }
        Console.print("")
        var chains = Table([("CHAIN", .left), ("FINALITY", .left), ("AGREE", .left), ("ENDPOINTS", .left)])
        for chain in configuration.chains {
            let names = chain.endpointNames.joined(separator: " ")
            let others =
                chain.redundant.isEmpty ? "" : " (not asked: \(chain.redundantNames.joined(separator: " ")))"
            chains.add([chain.network, chain.finalityWord, chain.agreementWords, names + others])
        }
        chains.show()
    }

    private static func showGateways(_ gateways: [Configuration.GatewayEntry]) {
        guard !gateways.isEmpty else {
            Console.print("no gateways")
            return
        }
        var table = Table([
            ("GATEWAY", .left), ("URL", .left), ("PATHS", .left), ("KEY", .left), ("BILLING", .left),
            ("AT MOST", .right), ("VALIDITY", .right), ("STOPS AFTER", .left), ("UNPROVEN", .left), ("LIMITS", .left),
        ])
        for gateway in gateways {
            let limit = gateway.rejectionLimit
            table.add([
                gateway.name, gateway.url, gateway.paths.joined(separator: " "), gateway.credential?.file ?? "",
                gateway.billingWord, "$\(gateway.largestPayment)", "\(gateway.longestWindow)s",
                limit == 0 ? "never" : "\(limit) rejections", gateway.unproven.rawValue,
                gateway.limitWords,
            ])
        }
        table.show()
    }
}
