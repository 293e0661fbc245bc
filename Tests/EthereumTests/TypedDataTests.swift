import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("EIP-712 typed data")
struct TypedDataTests {
    @Test(
        "pinned assets have the domain separators of their tokens", arguments: try Vectors.rows("default-asset-domains")
    )
    func assetDomains(row: Vectors.Row) throws {
        let chain = try #require(UInt64(row.string("network").dropFirst("eip155:".count)))
        let contract = try #require(Address(hex: row.string("asset")))
        let domain = try EIP712Domain(
            name: row.string("name"), version: row.string("version"), chainID: chain, verifyingContract: contract)
        #expect(try domain.separator.description == row.string("domainSeparator"))
    }

    struct TetherDomain: Sendable, CustomTestStringConvertible {
        let name: String
        let chain: UInt64
        let contract: String
        let separator: String

        var testDescription: String { "\(name) on \(chain)" }
    }

    static let tetherDomains = [
        TetherDomain(
            name: "USD₮0", chain: 42_161, contract: "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9",
            separator: "0x566af68fb471b22d6421762f84aa7bd761c670a2e4d5c8a47d4085d5957b127c"),
        TetherDomain(
            name: "USD₮0", chain: 196, contract: "0x779Ded0c9e1022225f8E0630b35a9b54bE713736",
            separator: "0xd591d9baf744328d9400b923cb02c9474d367d591ca1ab24d8c4068be527599d"),
        TetherDomain(
            name: "USDT0", chain: 196, contract: "0x779Ded0c9e1022225f8E0630b35a9b54bE713736",
            separator: "0xf9a2641caa43cca5e46ba59a5d8d6db725e494aae6a40e5500a5e33d45a37080"),
        TetherDomain(
            name: "Tether USD", chain: 42_220, contract: "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e",
            separator: "0xbcb4d62e4834b598d0eacecd84c0b397a0254e077c41cf2143e394d5701d1088"),
        TetherDomain(
            name: "USDT0", chain: 988, contract: "0x779Ded0c9e1022225f8E0630b35a9b54bE713736",
            separator: "0xf21cc02b28f1a6c8d5ae07aaf9d8954535a11acbaf36923aef1b21d0fc27b221"),
        TetherDomain(
            name: "USD₮0", chain: 14, contract: "0xe7cd86e13AC4309349F30B3435a9d337750fC82D",
            separator: "0x4c53d754dcb2f406ecf83695856d8c10b13296a318d9a481043412bf253d43ae"),
        TetherDomain(
            name: "USD₮0", chain: 143, contract: "0xe7cd86e13AC4309349F30B3435a9d337750fC82D",
            separator: "0x0ff600ee71d562315937ca5d83509be72112ccd0377b972541aca4a66b225c8d"),
    ]

    @Test("Tether's domains hash the name byte by byte", arguments: tetherDomains)
    func tether(row: TetherDomain) throws {
        let contract = try #require(Address(hex: row.contract))
        let domain = EIP712Domain(name: row.name, version: "1", chainID: row.chain, verifyingContract: contract)
        #expect(domain.separator.description == row.separator)
    }

    @Test("the type hashes are the published constants")
    func typeHashes() throws {
        let published = try Dictionary(
            uniqueKeysWithValues: Vectors.rows("typehashes").map { try ($0.string("name"), $0.string("typeHash")) })
        #expect(EIP712Domain.typeHash.description == published["EIP712Domain4"])
        #expect(TransferWithAuthorization.typeHash.description == published["TransferWithAuthorization"])
    }
}
