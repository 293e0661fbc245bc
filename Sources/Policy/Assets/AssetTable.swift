import CSpecs
package import Ethereum
import Primitives
package import X402

/// Why the pinned table could not be read; the text names the row.
package struct AssetTableError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong and where.
    package let description: String
}

/// The networks and tokens that may be paid, keyed by (CAIP-2 network, address).
///
/// Nothing else is ever signed for.
package struct AssetTable: Sendable {
    private struct Key: Hashable {
        let network: String
        let address: Address
    }

    private var networks: [String: String] = [:]
    private var rows: [Key: Asset] = [:]
    private var order: [Key] = []

    /// Reads the table that is compiled in from Specs/assets.json.
    package static func pinned() throws(AssetTableError) -> AssetTable {
        let text = unsafe [UInt8](UnsafeBufferPointer(start: purser_assets_json, count: purser_assets_json_count))
        return try AssetTable(json: text)
    }

    /// Reads a table in the form of Specs/assets.schema.json; every separator is recomputed and must agree.
    package init(json: [UInt8]) throws(AssetTableError) {
        let root: JSONValue
        do {
            root = try JSONReader.read(json)
        } catch {
            throw AssetTableError(description: "the asset table is not JSON: \(error)")
        }
        for network in root["networks"]?.elements ?? [] {
            guard let id = network["id"]?.string, Asset.chainID(of: id) != nil else {
                throw AssetTableError(description: "a network of the asset table has no CAIP-2 id")
            }
            networks[id] = id
            for alias in network["aliases"]?.elements ?? [] {
                guard let spelling = alias.string, networks[spelling] == nil else {
                    throw AssetTableError(description: "an alias of \(id) is not a text or is taken")
                }
                networks[spelling] = id
            }
        }
        for row in root["assets"]?.elements ?? [] { try add(Self.asset(row)) }
    }

    private static func asset(_ row: JSONValue) throws(AssetTableError) -> Asset {
        let place = "\(row["network"]?.string ?? "?")/\(row["address"]?.string ?? "?")"
        guard let network = row["network"]?.string, let address = row["address"]?.string.flatMap({ Address(hex: $0) }),
            let symbol = row["symbol"]?.string, let decimals = row["decimals"]?.integer,
            let transfer = row["transfer"]?.string.flatMap(TransferMethod.init(rawValue:)),
            let par = row["usd"]?.string.flatMap({ Dollars($0) }),
            let approval = ApprovalRule(
                rawValue: row["approval"].map { $0.string ?? "" } ?? ApprovalRule.plain.rawValue),
            let asset = Asset(
                network: network, address: address, symbol: symbol, tokenSymbol: row["tokenSymbol"]?.string,
                decimals: Int(decimals), transfer: transfer, domainName: row["name"]?.string,
                domainVersion: row["version"]?.string,
                salt: row["salt"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) }, par: par,
                approval: approval)
        else { throw AssetTableError(description: "the asset row \(place) is incomplete") }
        if row["salt"] != nil, asset.domain?.salt == nil {
            throw AssetTableError(description: "the salt of \(place) is not 32 bytes in hex, or has no domain")
        }
        if let claimed = row["domainSeparator"]?.string, claimed != asset.domainSeparator?.description {
            throw AssetTableError(description: "the domain separator of \(place) does not follow from its domain")
        }
        return asset
    }

    /// Adds an operator's row; a row for a pinned token replaces it only when it has the same decimals.
    package mutating func add(_ asset: Asset) throws(AssetTableError) {
        let key = Key(network: asset.network, address: asset.address)
        if let known = rows[key], known.decimals != asset.decimals {
            throw AssetTableError(
                description: "\(asset.network)/\(asset.address) has \(known.decimals) decimals, not \(asset.decimals)")
        }
        if rows[key] == nil { order.append(key) }
        var asset = asset
        // How a pinned contract lets allowances be changed is not for a row to say anew.
        if let known = rows[key] { asset.approval = known.approval }
        rows[key] = asset
        if networks[asset.network] == nil { networks[asset.network] = asset.network }
    }

    /// The CAIP-2 network a seller means: its own name, or an alias by exact text; nil when unknown.
    package func network(spelled text: String) -> String? { networks[text] }

    /// The row of a token on a network.
    package func asset(network: String, address: Address) -> Asset? {
        rows[Key(network: network, address: address)]
    }

    /// The row of a token as the books name it, `network/address` in EIP-55.
    package func asset(named name: String) -> Asset? { rows.values.first { $0.name == name } }

    /// All rows, pinned ones first.
    package var assets: [Asset] { order.compactMap { rows[$0] } }
}
