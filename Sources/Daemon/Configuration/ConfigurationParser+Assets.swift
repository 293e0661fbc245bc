import Ethereum
import Policy
import Primitives
import X402

extension ConfigurationParser {
    private static let assetKeys = [
        "network", "address", "symbol", "decimals", "name", "version", "transfer", "usd",
    ]

    /// Adds one row of `assets` to the table.
    mutating func addAsset(_ value: ConfigurationValue) {
        guard let section = reader.section(value, keys: Self.assetKeys) else { return }
        for key in Self.assetKeys where key != "name" && key != "version" && !section.has(key) {
            reader.note(section.place(key), "this key is required")
        }
        let network = reader.converted(section, "network", expected: "a CAIP-2 network such as `eip155:42161`") {
            Asset.chainID(of: $0) == nil ? nil : $0
        }
        let address = address(section)
        let symbol = reader.text(section, "symbol")
        let decimals = reader.converted(section, "decimals", expected: "a whole number from 0 to 36") { text in
            UInt8(text).flatMap { $0 <= 36 && "\($0)" == text ? Int($0) : nil }
        }
        let transfer = reader.converted(section, "transfer", expected: "`eip3009` or `permit2`") {
            TransferMethod(rawValue: $0)
        }
        let par = reader.converted(section, "usd", expected: "an amount of dollars above zero such as `1.00`") { text in
            Dollars(text).flatMap { $0 > .zero ? $0 : nil }
        }
        let name = reader.text(section, "name")
        let version = reader.text(section, "version")
        if transfer == .eip3009 {
            for key in ["name", "version"] where !section.has(key) {
                reader.note(
                    section.place(key), "this key is required: an eip3009 token is signed for by name and version")
            }
        }
        guard let network, let address, let symbol, let decimals, let transfer, let par,
            let asset = Asset(
                network: network, address: address, symbol: symbol, tokenSymbol: nil, decimals: decimals,
                transfer: transfer, domainName: name, domainVersion: version, par: par)
        else { return }
        do {
            try table.add(asset)
        } catch {
            reader.note(section.place("decimals"), error.description)
        }
    }

    private mutating func address(_ section: ConfigurationSection) -> Address? {
        reader.text(section, "address").flatMap { address($0, at: section.place("address")) }
    }

    /// An address with a right checksum or without one.
    mutating func address(_ text: String, at place: ConfigurationPlace) -> Address? {
        guard let address = Address(hex: text) else {
            reader.note(place, "`\(text)` is not 0x and 40 hex digits")
            return nil
        }
        guard Address.isChecksumValid(text) else {
            reader.note(place, "`\(text)` has a wrong checksum (EIP-55): look for a typing error")
            return nil
        }
        return address
    }
}
