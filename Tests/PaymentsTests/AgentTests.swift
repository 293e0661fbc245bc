import Ledger
import Payments
import Primitives
import TestSupport
import Testing

@Suite("Agent tokens")
struct AgentTokenTests {
    @Test("a token has its form, whatever the bytes", arguments: [UInt64(0), 1, 2, 99, .max])
    func form(seed: UInt64) throws {
        let random = try SeededRandom(seed: seed).bytes32()
        for bytes in [random, .zero, UInt256.max.bigEndianBytes] {
            let token = AgentToken.make(random: bytes)
            #expect(token.utf8.count == AgentToken.length)
            #expect(token.wholeMatch(of: /psr_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}/) != nil)
            #expect(AgentToken.isWellFormed(Array(token.utf8)))
        }
    }

    @Test("different bytes give different tokens")
    func distinct() throws {
        let random = SeededRandom(seed: 5)
        let tokens = try (0..<200).map { _ in AgentToken.make(random: try random.bytes32()) }
        #expect(Set(tokens).count == 200)
    }

    @Test("the checksum is CRC-32 over the 43 characters")
    func knownToken() {
        // CRC-32 of 43 zeros, worked out with zlib: 0x7849568F.
        #expect(AgentToken.make(random: .zero) == "psr_0000000000000000000000000000000000000000000_2CZclj")
    }

    @Test("reject- a token with any one character changed, added or taken away")
    func mistyped() throws {
        let token = Array(AgentToken.make(random: try SeededRandom(seed: 3).bytes32()).utf8)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
            #expect(!AgentToken.isWellFormed(changed))
            var shorter = token
            shorter.remove(at: index)
            #expect(!AgentToken.isWellFormed(shorter))
        }
        #expect(!AgentToken.isWellFormed(token + [UInt8(ascii: "a")]))
        #expect(!AgentToken.isWellFormed([]))
    }

    @Test("reject- two neighbouring characters swapped")
    func swapped() throws {
        let token = Array(AgentToken.make(random: try SeededRandom(seed: 4).bytes32()).utf8)
        for index in 4..<46 where token[index] != token[index + 1] {
            var changed = token
            changed.swapAt(index, index + 1)
            #expect(!AgentToken.isWellFormed(changed))
        }
    }
}

@Suite("The agent directory")
struct AgentDirectoryTests {
    private let books = InMemoryLedger()
    private func name(_ lookUp: AgentDirectory.LookUp) -> String? {
        if case .current(let agent, _) = lookUp { agent?.name ?? "nobody" } else { nil }
    }

    @Test("agents are found until the books change, and then only after they are read again")
    func staleness() async throws {
        try await books.add(.sample())
        let directory = try await AgentDirectory(store: books)
        #expect(name(directory.agent(tokenHash: .numbered(1))) == "scout")
        #expect(name(directory.agent(tokenHash: .numbered(2))) == "nobody")

        try await books.add(.sample("other", number: 2))
        #expect(name(directory.agent(tokenHash: .numbered(2))) == nil)
        #expect(name(directory.agent(tokenHash: .numbered(1))) == nil)
        #expect(try await directory.refresh().agent(tokenHash: .numbered(2))?.name == "other")
        #expect(name(directory.agent(tokenHash: .numbered(1))) == "scout")
    }

    @Test("a token that was replaced or removed is dead from the next request")
    func revocation() async throws {
        try await books.add(.sample())
        let directory = try await AgentDirectory(store: books)
        try await books.replaceToken(of: "scout", hash: .numbered(7), by: "op", at: .vectors)
        #expect(name(directory.agent(tokenHash: .numbered(1))) == nil)
        #expect(try await directory.refresh().agent(tokenHash: .numbered(1)) == nil)
        #expect(name(directory.agent(tokenHash: .numbered(7))) == "scout")
        try await books.removeAgent("scout", by: "op", at: .vectors)
        #expect(try await directory.refresh().agent(tokenHash: .numbered(7)) == nil)
        #expect(name(directory.agent(tokenHash: .numbered(7))) == "nobody")
    }
}
