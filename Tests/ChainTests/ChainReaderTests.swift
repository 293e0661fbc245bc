import NIOCore
import Primitives
import Testing

@testable import Chain

@Suite("Reading the chain")
struct ChainReaderTests {
    @Test("used and unused nonces of both kinds are told apart as of the final block")
    func happy() async throws {
        let spent = Probes.make(5, .eip3009)
        let bits = Probes.make(3, .permit2)
        var chain = FakeChain()
        chain.words[Probes.data(spent)] = Probes.word(UInt256(1))
        chain.words[Probes.data(bits)] = Probes.word(UInt256(0b1000))
        try await ChainLab.run([chain]) { lab async throws in
            let probes = [Probes.token, spent, bits, Probes.make(2, .permit2), Probes.make(259, .permit2)]
            let reading = try await lab.reader.read(probes, at: ChainLab.now)
            #expect(reading.block.number == 1000)
            #expect(reading.block.time == 1_700_001_000)
            #expect(reading.isUsed == [false, true, true, false, false])
            #expect(reading.leftOut.isEmpty)
            #expect(lab.nodes[0].requests[1].contains("\"0x3e8\"]"))
            #expect(lab.nodes[0].batches.count == 2)
        }
    }

    @Test("nothing is asked in other words than the endpoint's URL says, on one kept connection")
    func requestForm() async throws {
        try await ChainLab.run([FakeChain()]) { lab async throws in
            _ = try await lab.reader.read([Probes.token], at: ChainLab.now)
            _ = try await lab.reader.read([], at: ChainLab.now)
            let head = lab.nodes[0].requests[0].components(separatedBy: "\r\n\r\n")[0]
            #expect(head.hasPrefix("POST /v2/0123456789abcdef?key=fedcba9876543210 HTTP/1.1\r\n"))
            #expect(head.contains("\r\nhost: \(lab.name(0))\r\n"))
            #expect(head.contains("\r\ncontent-type: application/json\r\n"))
            #expect(lab.nodes[0].connectionCount == 1)
        }
    }

    @Test(
        "the final block is the one that the finality says",
        arguments: [
            (ChainFinality.finalized, 1000), (.safe, 1040), (.confirmations(1), 1099), (.confirmations(100), 1000),
        ]
            as [(ChainFinality, UInt64)])
    func finality(finality: ChainFinality, number: UInt64) async throws {
        var options = ChainLab.Options()
        options.finality = finality
        try await ChainLab.run([FakeChain()], options) { lab async throws in
            #expect(try await lab.reader.read([Probes.token], at: ChainLab.now).block.number == number)
        }
    }

    @Test("a chain shorter than the confirmations has no final block")
    func young() async throws {
        var options = ChainLab.Options()
        options.finality = .confirmations(1101)
        #expect(try await ChainLab.fault(of: FakeChain(), options) == .noBlock)
    }

    @Test("more than 49 probes are asked in batches of at most 50 calls, each with the block")
    func batches() async throws {
        let probes = (0..<120).map { Probes.make(UInt64($0), .eip3009) }
        var chain = FakeChain()
        for index in [48, 49, 50, 98, 119] { chain.words[Probes.data(probes[index])] = Probes.word(UInt256(1)) }
        try await ChainLab.run([chain]) { lab async throws in
            let reading = try await lab.reader.read(probes, at: ChainLab.now)
            #expect(reading.isUsed.indices.filter { reading.isUsed[$0] == true } == [48, 49, 50, 98, 119])
            let batches = lab.nodes[0].batches.dropFirst()
            #expect(batches.map(\.count) == [50, 50, 23])
            #expect(batches.allSatisfy { $0.first == "eth_getBlockByNumber" })
        }
    }

    @Test("reject- more probes than one reading takes, before anything is asked")
    func tooManyProbes() async throws {
        try await ChainLab.run([FakeChain()]) { lab async throws in
            let probes = [AuthorizationProbe](repeating: Probes.token, count: 1001)
            #expect(await lab.outcome(probes) == .failure(.tooManyProbes(limit: 1000)))
            #expect(lab.nodes[0].requests.isEmpty)
        }
    }

    @Test(
        "reject- another chain", arguments: [("0x1", 1), ("0x66eef", 421_615), ("421614", nil)] as [(String, UInt64?)])
    func wrongChain(text: String, number: UInt64?) async throws {
        var chain = FakeChain()
        chain.chainID = text
        #expect(try await ChainLab.fault(of: chain) == .wrongChain(number))
    }

    @Test(
        "reject- results that are not one word with a meaning",
        arguments: [
            "\"0x\"", "\"\"", "null", "1", "true", "{}", "[]", "\"0x0\"", "\"0x1\"",
            "\"0x" + String(repeating: "00", count: 31) + "\"", "\"0x" + String(repeating: "00", count: 33) + "\"",
            "\"" + String(repeating: "00", count: 32) + "\"", "\"0x" + String(repeating: "0g", count: 32) + "\"",
            Probes.word(UInt256(2)), Probes.word(.max),
        ])
    func badWord(_ word: String) async throws {
        var chain = FakeChain()
        chain.words[Probes.data(Probes.make(1, .eip3009))] = word
        try await ChainLab.run([chain]) { lab async throws in
            let fault = EndpointFault(endpoint: lab.name(0), reason: .badWord, probe: 1)
            let reading = try await lab.outcome([Probes.token, Probes.make(1, .eip3009)]).get()
            #expect(reading.isUsed == [false, nil] && reading.leftOut == [fault])
            let alone = EndpointFault(endpoint: lab.name(0), reason: .badWord, probe: 0)
            #expect(
                await lab.outcome([Probes.make(1, .eip3009)])
                    == .failure(.tooFewAnswers(count: 0, needed: 1, faults: [alone])))
        }
    }

    @Test(
        "probes that cannot be read are left out with their reasons, however many; all of them are the endpoint's fault"
    )
    func unreadable() async throws {
        let probes = (0..<120).map { Probes.make(UInt64($0), .eip3009) }
        var chain = FakeChain()
        for probe in probes.dropLast() { chain.words[Probes.data(probe)] = "\"0x\"" }
        chain.words[Probes.data(probes[119])] = Probes.word(UInt256(1))
        try await ChainLab.run([chain]) { lab async throws in
            let reading = try await lab.outcome(probes).get()
            #expect(reading.isUsed == [Bool?](repeating: nil, count: 119) + [true])
            #expect(reading.leftOut.map(\.probe) == (0..<119).map(Optional.some))
            #expect(reading.leftOut.allSatisfy { $0.reason == .badWord })
            #expect(await lab.fault(Array(probes.dropLast())) == .badWord)
        }
    }

    @Test("what one call was refused for is told of that probe, and the others are read")
    func refusedProbe() async throws {
        var chain = FakeChain()
        chain.words[Probes.data(Probes.make(1, .eip3009))] = "{\"code\":-32000,\"message\":\"header not found\"}"
        try await ChainLab.run([chain]) { lab async throws in
            let reading = try await lab.outcome([Probes.token, Probes.make(1, .eip3009)]).get()
            #expect(reading.isUsed == [false, nil])
            #expect(
                reading.leftOut == [
                    EndpointFault(
                        endpoint: lab.name(0), reason: .refused(code: -32000, text: "header not found"), probe: 1)
                ])
        }
    }

    @Test("reject- Permit2 where there is no such contract")
    func noPermit2() async throws {
        var chain = FakeChain()
        chain.word = "\"0x\""
        #expect(try await ChainLab.fault(of: chain, .init(), [Probes.permit2]) == .badWord)
    }

    @Test("an error is told with its text, without what may be a key")
    func refused() async throws {
        var chain = FakeChain()
        let message = #"no\t0123456789abcdef?key=fedcba9876543210"#
        chain.arrange = { responses in
            [responses[1], "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001,\"message\":\"\(message)\"}}"]
        }
        try await ChainLab.run([chain]) { lab async throws in
            #expect(await lab.fault() == .refused(code: -32001, text: "no?[key]?key=[key]"))
            let error = try #require(await lab.outcome().failure)
            #expect(error.description.contains("\(lab.name(0)) answered with error -32001: no?[key]"))
            #expect(!error.description.contains("0123456789abcdef") && !error.description.contains("fedcba"))
        }
    }

    @Test("responses in another order are matched by their ids")
    func swapped() async throws {
        var chain = FakeChain()
        chain.words[Probes.data(Probes.make(1, .eip3009))] = Probes.word(UInt256(1))
        chain.arrange = { $0.reversed() }
        try await ChainLab.run([chain]) { lab async throws in
            let reading = try await lab.reader.read([Probes.token, Probes.make(1, .eip3009)], at: ChainLab.now)
            #expect(reading.isUsed == [false, true])
        }
    }

    @Test("reject- responses that are missing, doubled or to other calls")
    func ids() async throws {
        var chain = FakeChain()
        chain.arrange = { $0.dropLast() }
        #expect(try await ChainLab.fault(of: chain) == .malformed(.missingID))
        chain.arrange = { $0 + $0.prefix(1) }
        #expect(try await ChainLab.fault(of: chain) == .malformed(.duplicateID))
        chain.arrange = { $0.dropLast() + [#"{"jsonrpc":"2.0","id":99,"result":"0x1"}"#] }
        #expect(try await ChainLab.fault(of: chain) == .malformed(.unknownID))
    }

    @Test("reject- blocks that cannot be read, are missing, or are others than asked for")
    func badBlocks() async throws {
        let blocks: [(String, EndpointFault.Reason)] = [
            ("null", .noBlock), ("{}", .badBlock), ("\"0x3e8\"", .badBlock),
            (#"{"number":"0x3e8","timestamp":"0x1"}"#, .badBlock),
            (#"{"number":1000,"hash":"\#(Bytes32.zero)","timestamp":"0x1"}"#, .badBlock),
            (#"{"number":"0x3e8","hash":"0x00","timestamp":"0x1"}"#, .badBlock),
            (#"{"number":"0x3e8","hash":"\#(Bytes32.zero)","timestamp":"0xffffffffffffffff"}"#, .badBlock),
        ]
        for (text, reason) in blocks {
            var chain = FakeChain()
            chain.arrange = { [$0[0], "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\(text)}"] }
            #expect(try await ChainLab.fault(of: chain) == reason, "\(text)")
        }
        var chain = FakeChain()
        let other = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(chain.block(999))}"
        chain.arrange = { $0[0].contains("hash") ? [other] + $0.dropFirst() : $0 }
        #expect(try await ChainLab.fault(of: chain) == .badBlock)
    }

    @Test("a block may be a minute ahead of the clock, and not a second more")
    func future() async throws {
        try await ChainLab.run([FakeChain()]) { lab async throws in
            let time: Int64 = 1_700_001_000
            #expect(try await lab.outcome(at: Timestamp(seconds: time - 60)).get().block.time == time)
            let fault = EndpointFault(endpoint: lab.name(0), reason: .futureBlock(time: time))
            #expect(
                await lab.outcome(at: Timestamp(seconds: time - 61))
                    == .failure(.tooFewAnswers(count: 0, needed: 1, faults: [fault])))
        }
    }

    @Test("reject- a final block below or in the place of one that was final before")
    func backwards() async throws {
        try await ChainLab.run([FakeChain()]) { lab async throws in
            #expect(try await lab.outcome().get().block.number == 1000)
            lab.nodes[0].change { $0.tags["finalized"] = 999 }
            #expect(await lab.fault() == .wentBack(from: 1000, to: 999))
            lab.nodes[0].change { $0.tags["finalized"] = 1000 }
            #expect(await lab.fault() == nil)
            lab.nodes[0].change { $0.branch = 2 }
            #expect(await lab.fault() == .wentBack(from: 1000, to: 1000))
            lab.nodes[0].change { $0.tags["finalized"] = 1001 }
            #expect(try await lab.outcome().get().block.number == 1001)
        }
    }

    @Test("reject- a block that has another hash the second time it is asked for")
    func changedBlock() async throws {
        var chain = FakeChain()
        let other = Bytes32(words: (9, 0, 0, 1000))
        let block = chain.block(1000).replacing("\(Bytes32(words: (1, 0, 0, 1000)))", with: "\(other)")
        let response = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\(block)}"
        // The first response of the first batch is the chain's number.
        chain.arrange = { $0[0].contains("hash") ? [response] + $0.dropFirst() : $0 }
        #expect(try await ChainLab.fault(of: chain) == .changedBlock(1000))
        // The same in the second batch of 3 calls only, which only the block in each of them can show: behind
        // confirmations the final block was not asked for before.
        var options = ChainLab.Options()
        options.finality = .confirmations(100)
        chain.arrange = { $0.count == 3 ? [response] + $0.dropFirst() : $0 }
        let probes = (0..<51).map { Probes.make(UInt64($0), .eip3009) }
        #expect(try await ChainLab.fault(of: chain, options, probes) == .changedBlock(1000))
    }
}
