import Audit
import Ethereum
import Ledger
import LedgerSQLite
package import Logging
import NIOCore
import NIOPosix
import Payments
package import Primitives
import Simulator
import SystemCrypto
import Wallets

/// The main job on the embedded simulator, told step by step; every step is checked.
package struct Demonstration {
    private let state: StateDirectory
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    private let say: @Sendable (String) -> Void

    /// Makes a demonstration whose state stays in `state`; `say` takes one line.
    package init(
        state: StateDirectory, clock: any WallClock, random: any RandomSource, logger: Logger,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.state = state
        self.clock = clock
        self.random = random
        self.logger = logger
        self.say = say
    }

    private static let limits = ["request=0.05", "day=1", "lifetime=10"].compactMap { CapLimit($0) }

    /// Runs the whole story; throws ``StartFailure`` at the first step that does not hold.
    package func run() async throws {
        try prepareState()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let simulator = try await GatewaySimulator.start(
            SimulatorOptions(payTo: Address(lastBytesOf: try random.bytes32())), clock: clock, random: random,
            group: group)
        say(
            "A simulated gateway listens on 127.0.0.1:\(simulator.port). It sells chat completions for USDT on Arbitrum"
        )
        say("and on BNB Chain, and checks every payment: signer, domain, amount, payee, window, nonce and balance.")
        let payer = try makeWallet()
        try state.writeConfiguration(Self.configuration(simulatorPort: simulator.port))
        let configuration = try state.loadConfiguration()
        let (addresses, ready) = AsyncStream.makeStream(of: ServingPlaces.self)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let daemon = Task {
            defer { ready.finish() }
            try await Serving.serve(
                configuration, state: state, clock: clock, random: random, logger: logger,
                ready: { ready.yield($0) }, untilAsked: { for await _ in ends {} })
        }
        guard let address = await addresses.first(where: { _ in true }) else {
            try await daemon.value
            throw StartFailure("the daemon did not start")
        }
        say("The daemon listens on \(address.all.joined(separator: ", ")). Its wallet \"main\" is \(payer).")
        do {
            try await story(port: address.port, payer: payer, simulator: simulator, group: group)
        } catch {
            end.finish()
            _ = await daemon.result
            throw error
        }
        end.finish()
        try await daemon.value
        await simulator.stop()
        try await group.shutdownGracefully()
        say("")
        say("Every step held. The books stay: purser payment list \(state.option)")
    }

    private func story(
        port: Int, payer: Address, simulator: GatewaySimulator, group: MultiThreadedEventLoopGroup
    ) async throws {
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        let token = AgentToken.make(random: try random.bytes32())
        try await ledger.add(
            Agent(
                name: "scout", wallet: nil, team: nil, tokenHash: SHA256.hash(Array(token.utf8)),
                addedAt: clock.now()),
            limits: Self.limits, by: Operator.name)
        say("Agent \"scout\" may spend $0.05 a request, $1 a day, $10 in all. It holds a token and no key.")
        let client = DemonstrationClient(group: group, port: port, token: token)
        try await jsonCall(client, ledger: ledger)
        try await streamedCall(client, ledger: ledger)
        try await permit2Call(client, ledger: ledger)
        try await uptoCall(client, ledger: ledger)
        try await refusedCall(client, simulator: simulator)
        try await compareBooks(ledger, payer: payer, simulator: simulator)
        try await verify(ledger)
        try ledger.close()
    }

    // MARK: The calls

    private func jsonCall(_ client: DemonstrationClient, ledger: SQLiteLedger) async throws {
        title("1. A JSON completion")
        let answer = try await client.post(
            "/lab/v1/chat/completions",
            json: #"{"model":"auto","messages":[{"role":"user","content":"What is a purser?"}]}"#)
        try expect(answer.status == 200, "the answer is 200, not \(answer.status): \(answer.body)")
        let record = try await booked(answer, in: ledger)
        tell(record, answer)
        let reply = (try? JSONReader.read(Array(answer.body.utf8)))?["choices"]?.elements?.first
        guard let text = reply?["message"]?["content"]?.string else {
            throw StartFailure("the answer is no chat completion: \(answer.body)")
        }
        say("   answer      \(text.prefix(84))")
        say("   first byte  \(milliseconds(answer.firstByte)) after the request, payment included")
    }

    private func streamedCall(_ client: DemonstrationClient, ledger: SQLiteLedger) async throws {
        title("2. A streamed completion")
        let answer = try await client.post(
            "/lab/v1/chat/completions",
            json: #"{"model":"auto","stream":true,"messages":[{"role":"user","content":"Stream me a line."}]}"#)
        try expect(answer.status == 200, "the answer is 200, not \(answer.status): \(answer.body)")
        let record = try await booked(answer, in: ledger)
        tell(record, answer)
        let events = answer.body.split(separator: "\n").filter { $0.hasPrefix("data: ") }
        try expect(events.last == "data: [DONE]", "the stream ends with [DONE]")
        try expect(answer.body.contains("\"usage\""), "the stream has a usage chunk")
        try expect(
            answer.firstByte.nanoseconds * 2 < answer.total.nanoseconds && answer.arrivals > 2,
            "the first event comes long before the last")
        say(
            "   stream      \(events.count) events; the first after \(milliseconds(answer.firstByte)), "
                + "the last after \(milliseconds(answer.total))")
    }

    private func permit2Call(_ client: DemonstrationClient, ledger: SQLiteLedger) async throws {
        title("3. A completion paid by Permit2, where USDT has no EIP-3009")
        let answer = try await client.post(
            "/lab/permit2/v1/chat/completions",
            json: #"{"model":"auto","messages":[{"role":"user","content":"And on BNB Chain?"}]}"#)
        try expect(answer.status == 200, "the answer is 200, not \(answer.status): \(answer.body)")
        let record = try await booked(answer, in: ledger)
        try expect(record.terms?.method == "exact-permit2", "it is paid by Permit2")
        tell(record, answer)
    }

    private func uptoCall(_ client: DemonstrationClient, ledger: SQLiteLedger) async throws {
        title("4. A completion paid by use, up to a maximum")
        let answer = try await client.post(
            "/lab/upto/v1/chat/completions",
            json: #"{"model":"auto","messages":[{"role":"user","content":"Charge me what I use."}]}"#)
        try expect(answer.status == 200, "the answer is 200, not \(answer.status): \(answer.body)")
        let record = try await booked(answer, in: ledger)
        tell(record, answer)
        guard let terms = record.terms, let moved = record.moved else {
            throw StartFailure("the books do not say what was taken of the maximum")
        }
        try expect(moved < terms.amount && !moved.isZero, "a part of the maximum is taken, not \(moved)")
        say(
            "   taken       \(TokenAmount.decimalText(of: moved, decimals: terms.decimals)) \(terms.symbol) of it; "
                + "the rest is free again by the seller's word (`trust-partial`)")
    }

    private func refusedCall(_ client: DemonstrationClient, simulator: GatewaySimulator) async throws {
        title("5. A call that the cap refuses")
        let settled = simulator.settlements.count
        let answer = try await client.post(
            "/lab/v1/chat/completions",
            json: #"{"model":"auto","messages":[{"role":"user","content":"Think hard and prove it."}]}"#)
        try expect(answer.status == 402, "the answer is 402, not \(answer.status)")
        let problem = try? JSONReader.read(Array(answer.body.utf8))
        try expect(problem?["code"]?.string == "cap-exceeded", "the code is cap-exceeded: \(answer.body)")
        try expect(simulator.settlements.count == settled, "nothing was settled")
        say("   price asked $\(problem?["price_usd"]?.string ?? "?")")
        say("   answer      402 \(problem?["detail"]?.string ?? "")")
        say("   signed      nothing")
    }

    // MARK: The books

    private func compareBooks(
        _ ledger: SQLiteLedger, payer: Address, simulator: GatewaySimulator
    ) async throws {
        title("The ledger")
        let tokens = TokenNames(try state.loadConfiguration().assets)
        let entries = try await ledger.read { (snapshot) throws(LedgerError) in
            try snapshot.entries(from: 1, limit: 1000)
        }
        for entry in entries { say("   " + Self.text(of: entry, tokens)) }
        let usages = try await ledger.usage(of: "scout", at: clock.now())
        for usage in usages where usage.cap.limit.window != .request {
            let (cap, limit) = (usage.cap, usage.cap.limit)
            say(
                "   \(limit.window) cap \(cap.text(of: limit.amount)): \(cap.text(of: usage.used)) used, "
                    + "\(cap.text(of: usage.left)) left")
        }
        let settled = try await ledger.payments(PaymentFilter(states: [.settled]))
        var falls: [String] = []
        for (network, name) in [("eip155:42161", "Arbitrum"), ("eip155:56", "BNB Chain")] {
            let payments = settled.filter { $0.terms?.network == network }
            guard let terms = payments.first?.terms else { throw StartFailure("nothing was paid on \(name)") }
            let spent = payments.reduce(UInt256.zero) { $0.adding($1.moved ?? $1.terms?.amount ?? .zero) ?? $0 }
            // An account that never paid still has what everybody begins with.
            let opening = simulator.balance(of: .zero, on: network)
            let lost = opening.subtracting(simulator.balance(of: payer, on: network))
            try expect(
                lost == spent && !spent.isZero,
                "the ledger says \(spent) moved on \(name), the gateway says \(lost ?? .zero)")
            falls.append("\(TokenAmount.decimalText(of: spent, decimals: terms.decimals)) USDT on \(name)")
        }
        say("   The gateway's balances of the wallet fell by exactly what the ledger says:")
        say("   \(falls.joined(separator: " and ")).")
    }

    /// One entry of the journal on a line: its number, what happened, and what moved from where to where.
    private static func text(of entry: JournalEntry, _ tokens: TokenNames) -> String {
        let line = entry.line
        var text = "\(entry.at)  #\(entry.number)  \(line.kind.rawValue) \(line.subject)  \(line.cause)"
        if let transfer = line.transfer {
            text += "  \(tokens.text(of: transfer.amount, in: transfer.asset)): \(short(transfer.credit)) to "
            text += short(transfer.debit)
        }
        return text
    }

    /// An account without the ends of addresses.
    private static func short(_ account: Account) -> String {
        account.description.split(separator: ":").map { part in
            part.hasPrefix("0x") ? part.prefix(8) + "…" : String(part)
        }.joined(separator: ":")
    }

    private func verify(_ ledger: SQLiteLedger) async throws {
        let audit = LedgerAudit(state: state, random: random)
        let damage = try audit.damage()
        try expect(damage.isEmpty, "the ledger's file is whole: \(damage.joined(separator: "; "))")
        let verdict = try await audit.verify(
            ledger, assets: try state.loadConfiguration().assets, signers: try audit.signers(), at: clock.now())
        let failure = verdict.report.checks.compactMap(\.failure).first
        try expect(verdict.isSound, "the ledger is sound: \(failure?.sentence ?? "")")
        let examined = verdict.report.checks.reduce(0) { $0 + $1.examined }
        say("   ledger verify: sound. \(examined) rows held against each other: hashes, sums, caps and signatures.")
    }

    /// The payment an answer names, once its outcome is in the books; of a maximum also what was taken.
    private func booked(_ answer: DemonstrationClient.Answer, in ledger: SQLiteLedger) async throws -> PaymentRecord {
        guard let id = answer.fields["purser-payment"].flatMap({ PaymentID($0) }) else {
            throw StartFailure("the answer names no payment")
        }
        for _ in 0..<100 {
            if let record = try await ledger.payment(id), record.state != .reserved,
                record.terms?.isMaximum != true || record.moved != nil
            {
                try expect(record.state == .settled, "the payment is settled, not \(record.state.rawValue)")
                return record
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw StartFailure("the outcome of \(id) never reached the books")
    }

    private func tell(_ record: PaymentRecord, _ answer: DemonstrationClient.Answer) {
        guard let terms = record.terms else { return }
        let amount = TokenAmount.decimalText(of: terms.amount, decimals: terms.decimals)
        let most = terms.isMaximum ? " at most" : ""
        say("   price asked \(amount) \(terms.symbol)\(most) on \(terms.network), payee \(terms.payTo)")
        let type = terms.method == "exact-eip3009" ? "TransferWithAuthorization" : "PermitWitnessTransferFrom"
        say("   signed      \(type) of \(terms.amount) units, nonce \(terms.nonce.description.prefix(18))…,")
        say("               valid until \(Timestamp(seconds: terms.validBefore))")
        say(
            "   paid        \(answer.fields["purser-paid"] ?? "?"), \(answer.fields["purser-payment"] ?? "?"), "
                + "transaction \((record.evidence.transaction ?? "none").prefix(18))…")
        say("   left        \(answer.fields["purser-remaining"] ?? "?") (dollars)")
    }

    // MARK: Small things

    private func title(_ text: String) {
        say("")
        say(text)
    }

    private func expect(_ condition: Bool, _ what: String) throws(StartFailure) {
        guard condition else { throw StartFailure("this did not hold: \(what)") }
    }

    private func milliseconds(_ time: TimeAmount) -> String {
        let tenths = time.nanoseconds / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    /// Clears what an earlier demonstration left; a folder that is not one is left alone.
    private func prepareState() throws {
        try state.resetDemonstration()
        try state.create()
    }

    private func makeWallet() throws -> Address {
        let context = try Secp256k1Context(seed: random.bytes32())
        let key = try SigningKey.generate(context: context)
        let passphrase = try SecretBytes.random(count: 16)
        let text = Hex.encode(passphrase.withBytes { bytes in bytes.indices.map { bytes[$0] } })
        try state.writeSecret(text, name: "main.pass")
        let source = try PassphraseSource.file(path: state.path("main.pass")).read()
        let keystore = try KeystoreV3(
            sealing: key, passphrase: source, cost: .light, random: random, context: context)
        try WalletFile.create(keystore, at: state.path("wallets/main.json"))
        return key.address
    }

    private static func configuration(simulatorPort: Int) -> String {
        """
        # Made by `purser demo`.
        listen: 127.0.0.1:0
        policy: none
        gateways:
          lab: { url: "http://127.0.0.1:\(simulatorPort)", trust-partial: true }
        wallets:
          main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT", "eip155:56/USDT"] }

        """
    }
}
