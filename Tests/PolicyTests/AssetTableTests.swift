import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("The pinned asset table")
struct AssetTableTests {
    private let table: AssetTable

    init() throws {
        table = try .pinned()
    }

    static func signableRows() throws -> [Vectors.Row] {
        try Vectors.rows("default-asset-domains").filter { $0.value["assetTransferMethod"]?.string == "eip3009" }
    }

    /// Tokens of the SDK's table that are left out on purpose: none of their networks is one that we pay on, or, on
    /// Celo, no par is pinned for the token.
    private static let leftOut = [
        "eip155:36900", "eip155:190415", "eip155:181228", "eip155:42220/0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771",
    ]

    @Test("a token of the SDK's table is pinned with the SDK's domain", arguments: try signableRows())
    func sdkRows(row: Vectors.Row) throws {
        let address = try #require(Address(hex: row.string("asset")))
        let place = try "\(row.string("network"))/\(row.string("asset"))"
        guard !Self.leftOut.contains(where: place.hasPrefix) else { return }
        let asset = try #require(try table.asset(network: row.string("network"), address: address))
        #expect(asset.decimals == row.value["decimals"]?.integer.map(Int.init))
        #expect(try asset.domain?.name == row.string("name"))
        #expect(try asset.domain?.version == row.string("version"))
        #expect(try asset.domainSeparator?.description == row.string("domainSeparator"))
    }

    @Test("every row can be signed for, and no two are the same token")
    func wholeTable() throws {
        #expect(table.assets.count >= 24)
        for asset in table.assets where asset.transfer == .eip3009 {
            #expect(asset.domainSeparator == asset.domain?.separator)
            #expect(asset.domain?.verifyingContract == asset.address)
            #expect(asset.domain?.chainID == asset.chainID)
        }
        #expect(Set(table.assets.map { "\($0.network)/\($0.address)" }).count == table.assets.count)
    }

    @Test(
        "networks are known by CAIP-2, by version 1 names and by vendors' names",
        arguments: [
            ("eip155:42161", "eip155:42161"), ("arbitrum", "eip155:42161"), ("Arbitrum One", "eip155:42161"),
            ("plasma", "eip155:9745"), ("base", "eip155:8453"), ("base-sepolia", "eip155:84532"),
            ("ethereum", "eip155:1"), ("eth", "eip155:1"), ("polygon", "eip155:137"), ("Polygon", "eip155:137"),
            ("bsc", "eip155:56"), ("avalanche", "eip155:43114"), ("story", "eip155:1514"),
            ("educhain", "eip155:41923"), ("skale-base-sepolia", "eip155:324705682"), ("celo", "eip155:42220"),
            ("gatelayer", "eip155:10088"), ("gatelayer_testnet", "eip155:10087"), ("stable", "eip155:988"),
        ])
    func spellings(text: String, id: String) {
        #expect(table.network(spelled: text) == id)
    }

    @Test(
        "reject- spellings nobody declared",
        arguments: [
            "", " ", "Base", "BASE", "base ", " base", "arbitrum one", "ARBITRUM", "base-mainnet", "eip155-8453",
            "eip155:08453", "eip155:", "EIP155:8453", "8453", "solana", "tron:728126428", "eip155:8453\u{0}", "bаse",
        ])
    func unknownSpelling(text: String) {
        #expect(table.network(spelled: text) == nil)
    }

    @Test("the two tethers with one address differ in name, and so in domain")
    func nameTrap() throws {
        let address = try #require(Address(hex: "0x779Ded0c9e1022225f8E0630b35a9b54bE713736"))
        let onXLayer = try #require(table.asset(network: "eip155:196", address: address))
        let onStable = try #require(table.asset(network: "eip155:988", address: address))
        #expect(onXLayer.domain?.name == "USD\u{20AE}0")
        #expect(onStable.domain?.name == "USDT0")
        #expect(onXLayer.domainSeparator != onStable.domainSeparator)
        #expect(table.asset(network: "eip155:1", address: address) == nil)
    }

    private func row(network: String = "eip155:42161", decimals: Int = 6, name: String? = "N") throws -> Asset {
        let address = try #require(Address(hex: arbitrumUSDT))
        return try #require(
            Asset(
                network: network, address: address, symbol: "MINE", tokenSymbol: nil,
                decimals: decimals, transfer: name == nil ? .permit2 : .eip3009, domainName: name,
                domainVersion: name.map { _ in "1" }, par: .cents(100)))
    }

    @Test("an operator may change a pinned token, but not its decimals")
    func overrides() throws {
        var table = table
        let count = table.assets.count
        try table.add(row())
        #expect(table.assets.count == count)
        let address = try #require(Address(hex: arbitrumUSDT))
        #expect(table.asset(network: "eip155:42161", address: address)?.symbol == "MINE")
        let before = table
        for decimals in [0, 5, 7, 18] {
            let wrong = try row(decimals: decimals)
            #expect(throws: AssetTableError.self) { try table.add(wrong) }
        }
        #expect(table.assets == before.assets)
    }

    @Test("an operator's token brings its network along")
    func newNetwork() throws {
        var table = table
        #expect(table.network(spelled: "eip155:777") == nil)
        try table.add(row(network: "eip155:777"))
        #expect(table.network(spelled: "eip155:777") == "eip155:777")
        #expect(table.assets.last?.network == "eip155:777")
    }

    @Test(
        "reject- rows that no signature could follow from",
        arguments: [
            ("eip155:0x1", 6, "N", 100), ("eip155:01", 6, "N", 100), ("base", 6, "N", 100), ("eip155:", 6, "N", 100),
            ("eip155:1", -1, "N", 100), ("eip155:1", 37, "N", 100), ("eip155:1", 6, nil, 100), ("eip155:1", 6, "N", 0),
            ("eip155:18446744073709551616", 6, "N", 100), ("eip155:１", 6, "N", 100),
        ] as [(String, Int, String?, Int64)])
    func badRow(network: String, decimals: Int, name: String?, par: Int64) {
        let asset = Asset(
            network: network, address: .zero, symbol: "X", tokenSymbol: nil, decimals: decimals, transfer: .eip3009,
            domainName: name, domainVersion: "1", par: .cents(par))
        #expect(asset == nil)
    }

    @Test(
        "reject- tables that contradict themselves",
        arguments: [
            "", "[", #"{"networks":[{"id":"base"}]}"#, #"{"networks":[{"id":"eip155:1","aliases":[7]}]}"#,
            #"{"networks":[{"id":"eip155:1","aliases":["a"]},{"id":"eip155:2","aliases":["a"]}]}"#,
            #"{"assets":[{}]}"#,
            oneRow(#""decimals":6.0,"transfer":"permit2""#), oneRow(#""decimals":6,"transfer":"cash""#),
            oneRow(#""decimals":6,"transfer":"eip3009""#),
            oneRow(#""decimals":6,"transfer":"eip3009","name":"N","version":"1","domainSeparator":"0x00""#),
        ])
    func badTable(text: String) {
        #expect(throws: AssetTableError.self) { try AssetTable(json: Array(text.utf8)) }
    }
}

/// A table of one row for USDC on Ethereum with these members besides.
private func oneRow(_ members: String) -> String {
    #"{"assets":[{"network":"eip155:1","address":"\#(baseUSDC)","symbol":"X","usd":"1",\#(members)}]}"#
}

@Suite("Pay rules")
struct PayRuleTests {
    @Test(
        "a rule says what it read",
        arguments: ["eip155:42161/USDT", "eip155:8453/\(baseUSDC)", "eip155:14/USD₮0", "eip155:1/A/B"])
    func description(text: String) throws {
        #expect(try #require(PayRule(text)).description == text)
    }

    @Test(
        "reject- texts that are no rule",
        arguments: [
            "", "/", "USDT", "eip155:42161", "eip155:42161/", "base/USDC", "eip155:/USDT", "eip155:x/USDT",
            "eip155:1/0x12", "eip155:1/0xZZ3589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "*/USDT", "eip155:*/USDT",
        ])
    func malformed(text: String) {
        #expect(PayRule(text) == nil)
    }

    @Test("a rule names a token by family, by the contract's own symbol or by address, on its network only")
    func matching() throws {
        let table = try AssetTable.pinned()
        func matches(_ text: String) throws -> [String] {
            let rule = try #require(PayRule(text))
            return table.assets.filter { rule.matches($0) }.map { "\($0.network)/\($0.symbol)" }
        }
        #expect(try matches("eip155:42161/USDT") == ["eip155:42161/USDT"])
        #expect(try matches("eip155:42161/USD₮0") == ["eip155:42161/USDT"])
        #expect(
            try matches("eip155:42161/\(arbitrumUSDT.lowercased().replacing("0X", with: "0x"))") == [
                "eip155:42161/USDT"
            ])
        #expect(try matches("eip155:42161/usdt").isEmpty)
        #expect(try matches("eip155:8453/\(arbitrumUSDT)").isEmpty)
        #expect(try matches("eip155:42161/USDT0").isEmpty)
    }
}
