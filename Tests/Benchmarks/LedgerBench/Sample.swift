import Ledger
import LedgerSQLite
import Primitives

/// The agents, caps and payments that are booked.
enum Sample {
    /// How many agents there are.
    static let agents = 16
    /// How many teams they are in.
    static let teams = 4
    static let gateway = "lab"
    static let host = "api.example.com"
    static let network = "eip155:42161"
    static let asset = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
    static let payer = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
    static let payee = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
    static let url = "https://api.example.com/v1/chat/completions"
    /// Atomic units of each payment: a tenth of a cent.
    static let units: UInt64 = 1000
    /// Nano-dollars of each payment.
    static let nanodollars: Int64 = 1_000_000
    static let window: Int64 = 120

    static let accepted = Array(
        """
        {"scheme":"exact","network":"eip155:42161","amount":"1000","asset":"\(asset)","payTo":"\(payee)",\
        "maxTimeoutSeconds":120,"extra":{"name":"USD\u{20ae}0","version":"1"}}
        """.utf8)
    static let resource = Array(#"{"url":"\#(url)","description":"A completion","mimeType":"application/json"}"#.utf8)
    /// About 200 bytes.
    static let settlement = Array(
        """
        {"success":true,"transaction":"0x\(String(repeating: "ab", count: 32))","network":"eip155:42161",\
        "payer":"\(payer)","amount":"1000"}
        """.utf8)
    static let signature = [UInt8](repeating: 0x5a, count: 65)

    static func agent(_ number: Int) -> String { "agent-\(number % agents)" }

    static func team(_ number: Int) -> String { "team-\(number % agents % teams)" }

    /// Large enough that nothing is ever refused, and no warning given.
    static let ample = Dollars(nanodollars: 9_000_000_000_000_000_000) ?? .max

    /// Adds the agents with three caps each, and the caps of teams and house.
    static func found(_ ledger: SQLiteLedger, at now: Timestamp) async throws {
        for number in 0..<agents {
            let agent = Agent(
                name: agent(number), wallet: nil, team: team(number),
                tokenHash: Bytes32(words: (UInt64(number), 1, 2, 3)), addedAt: now)
            let limits = [CapWindow.request, .day, .lifetime].map { CapLimit($0, ample) }
            try await ledger.add(agent, limits: limits, by: "bench")
        }
        for number in 0..<teams {
            let cap = Cap(CapScope(.team("team-\(number)")), CapLimit(.month, ample))
            try await ledger.setCap(cap, by: "bench", at: now)
        }
        try await ledger.setCap(Cap(CapScope(.house), CapLimit(.lifetime, ample)), by: "bench", at: now)
    }

    /// The next payment of an agent.
    static func intent(of number: Int, at now: Timestamp, _ noise: inout Noise) -> PaymentIntent {
        PaymentIntent(
            id: PaymentID(at: now, random: noise.bytes32()),
            purpose: PaymentIntent.Purpose(
                agent: agent(number), team: team(number), gateway: gateway, host: host,
                request: PaymentIntent.Request(
                    method: "POST", url: url, model: .known("light-2"), fingerprint: noise.bytes32())),
            terms: PaymentIntent.Terms(
                scheme: "exact", method: "exact-eip3009", network: network, asset: asset, symbol: "USDT", decimals: 6,
                wallet: "main",
                payer: payer, payTo: payee, amount: UInt256(units),
                value: Dollars(nanodollars: nanodollars) ?? .zero,
                nonce: Bytes32(nonceAt: now, random: noise.bytes32()), validAfter: now.seconds - 600,
                validBefore: now.seconds + window),
            echo: PaymentIntent.Echo(version: 2, accepted: accepted, resource: resource, extensions: nil),
            salt: noise.bytes32())
    }

    /// What a good answer leaves.
    static func evidence(_ noise: inout Noise) -> PaymentEvidence {
        PaymentEvidence(
            status: 200, signature: signature, settlement: settlement, transaction: noise.bytes32().description)
    }
}

/// One ledger that is measured.
struct Books {
    /// What is special about it.
    let name: String
    let ledger: SQLiteLedger

    /// Makes a ledger with agents and caps, founded a year ago.
    static func make(at path: String, named name: String) async throws -> Books {
        let ledger = try SQLiteLedger(path: path)
        try await Sample.found(ledger, at: Past.beginning)
        return Books(name: name, ledger: ledger)
    }

    /// Opens a ledger three times from the disk, and then once from memory.
    static func open(_ path: String) throws -> (ledger: SQLiteLedger, openings: Openings) {
        var cold: [Double] = []
        for _ in 0..<3 {
            WorkFolder.chill(path)
            let start = System.seconds
            let ledger = try SQLiteLedger(path: path)
            cold.append(System.seconds - start)
            try ledger.close()
        }
        let start = System.seconds
        let ledger = try SQLiteLedger(path: path)
        return (ledger, Openings(cold: cold.sorted()[1], warm: System.seconds - start))
    }
}

/// How long it takes to open a ledger, in seconds.
struct Openings {
    /// With nothing of the file in memory.
    let cold: Double
    /// With what the opening before read still in memory.
    let warm: Double
}
