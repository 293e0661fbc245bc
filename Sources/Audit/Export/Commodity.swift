import Ethereum
import Ledger
import Policy
import Primitives
import X402

/// A token, or the unit of calls, as plain-text accounting programs name it.
struct Commodity: Equatable {
    /// The name: capital letters, digits and hyphens, at most 24, first a letter and last none but a letter or digit.
    ///
    /// Source: Beancount's language syntax, "Commodities / Currencies".
    let name: String
    /// The asset as the books name it.
    let asset: String
    /// How many decimals its amounts are written with.
    let decimals: Int

    /// The unit of calls of prepaid gateways.
    static let calls = Commodity(name: "CALLS", asset: MeteredCall.asset, decimals: 0)

    /// A token: `USDT-42161-FD086B` is the symbol, the chain and the first digits of the contract.
    ///
    /// It depends on the token alone, so that it is the same in every export.
    init(asset: String, symbol: String, decimals: Int) {
        let parts = asset.split(separator: "/", maxSplits: 1)
        let chain = parts.first?.split(separator: ":").last.map { String($0) } ?? ""
        let digits = parts.count == 2 ? parts[1].dropFirst(2).prefix(6).uppercased() : ""
        let name = "\(Self.plain(symbol))-\(chain)-\(digits)"
        let isValid = name.utf8.count <= 24 && (chain + digits).utf8.allSatisfy(Self.isWord) && !digits.isEmpty
        self.init(name: isValid ? name : Self.hashedName(asset, symbol: symbol), asset: asset, decimals: decimals)
    }

    private init(name: String, asset: String, decimals: Int) {
        self.name = name
        self.asset = asset
        self.decimals = decimals
    }

    /// The same commodity under a name that is different for every asset, where the short one is taken.
    func distinct(_ symbol: String) -> Commodity {
        Commodity(name: Self.hashedName(asset, symbol: symbol), asset: asset, decimals: decimals)
    }

    private static func isWord(_ byte: UInt8) -> Bool { byte.isASCIIDigit || (0x41...0x5a).contains(byte) }

    private static func plain(_ symbol: String) -> String {
        let kept = symbol.utf8.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 }.filter(isWord).prefix(7)
        let text = String(decoding: kept, as: UTF8.self)
        guard let first = kept.first, !first.isASCIIDigit else { return "T" + text.prefix(6) }
        return text
    }

    private static func hashedName(_ asset: String, symbol: String) -> String {
        "\(plain(symbol))-\(Hex.encode(Keccak256.hash(asset).bytes.prefix(8)).uppercased())"
    }
}

/// The commodities of an export.
struct CommodityTable {
    private var byAsset: [String: Commodity] = [MeteredCall.asset: .calls]

    /// Names every asset that has a balance: by the pinned table, or else by a payment in it, or else in atomic units.
    init(_ snapshot: any LedgerSnapshot, assets: AssetTable) throws(LedgerError) {
        var symbols: [String: (symbol: String, decimals: Int)] = [:]
        for row in assets.assets { symbols[row.name] = (row.symbol, row.decimals) }
        let booked = Set(try snapshot.balances().map(\.asset))
        var unknown = booked.filter { symbols[$0] == nil && $0 != MeteredCall.asset }
        var next: Int64 = 1
        while !unknown.isEmpty {
            let page = try snapshot.payments(from: next, limit: 1000)
            guard let last = page.last else { break }
            for terms in page.compactMap(\.record.terms) where unknown.remove(terms.assetName) != nil {
                symbols[terms.assetName] = (terms.symbol, terms.decimals)
            }
            next = last.number + 1
        }
        var taken: Set<String> = [Commodity.calls.name]
        for asset in booked.sorted() where asset != MeteredCall.asset {
            let known = symbols[asset] ?? ("TOKEN", 0)
            var commodity = Commodity(asset: asset, symbol: known.symbol, decimals: known.decimals)
            if taken.contains(commodity.name) { commodity = commodity.distinct(known.symbol) }
            taken.insert(commodity.name)
            byAsset[asset] = commodity
        }
    }

    /// The commodity of an asset.
    subscript(asset: String) -> Commodity {
        byAsset[asset] ?? Commodity(asset: asset, symbol: "TOKEN", decimals: 0)
    }
}
