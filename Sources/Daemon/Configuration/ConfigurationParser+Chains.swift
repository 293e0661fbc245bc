import Chain
import Policy
import X402

extension ConfigurationParser {
    private static let chainKeys = ["rpc", "agree", "finality", "blocks-per-second", "spenders"]

    /// The entries of `chains`; no message shows more of an endpoint's URL than its host.
    mutating func chains(_ root: ConfigurationSection) -> [Configuration.ChainEntry] {
        guard let value = reader.value(root, "chains"), let entries = reader.entries(value) else { return [] }
        var chains: [Configuration.ChainEntry] = []
        for (network, entry) in entries {
            let chainID = Asset.chainID(of: network)
            if chainID == nil || table.network(spelled: network) != network {
                reader.note(
                    entry.place,
                    "this is no network of the asset table; write one as `eip155:42161` or add a row to `assets`")
            }
            guard let section = reader.section(entry, keys: Self.chainKeys) else { continue }
            let (endpoints, redundant) = endpoints(section)
            let finality = reader.converted(
                section, "finality", expected: "`finalized`, `safe` or a number of confirmations from 1 to 10000"
            ) { ChainFinality($0) }
            let agreement: ChainAgreement? = choice(section, "agree")
            let rate = reader.converted(
                section, "blocks-per-second", expected: "a whole number from 1 to 1000"
            ) { text in UInt64(text).flatMap { (1...1000).contains($0) && "\($0)" == text ? $0 : nil } }
            let spenders = addresses(section, "spenders")
            guard let chainID, !endpoints.isEmpty else { continue }
            chains.append(
                Configuration.ChainEntry(
                    network: network, chainID: chainID, endpoints: endpoints, redundant: redundant,
                    agreement: agreement ?? .all, blocksPerSecond: rate ?? ChainReader.standardBlocksPerSecond,
                    finality: finality ?? .finalized,
                    spenders: spenders))
        }
        return chains
    }

    /// The endpoints that are asked, one of each host, and those that are not.
    private mutating func endpoints(
        _ section: ConfigurationSection
    ) -> (asked: [ChainEndpoint], redundant: [ChainEndpoint]) {
        guard section.has("rpc") else {
            reader.note(section.place("rpc"), "this key is required: a list of 1 to \(ChainReader.endpointLimit) URLs")
            return ([], [])
        }
        let elements = reader.elements(section, "rpc")
        var (endpoints, redundant): ([ChainEndpoint], [ChainEndpoint]) = ([], [])
        for element in elements {
            guard let text = reader.text(element) else { continue }
            do {
                let endpoint = try ChainEndpoint(text)
                if (endpoints + redundant).contains(where: { $0.name == endpoint.name }) {
                    reader.note(element.place, ChainError.repeatedEndpoint(endpoint.name).description)
                }
                // Version 0.1.0 took other ports and spellings of a host for other endpoints: they are no error.
                if endpoints.contains(where: { $0.isSameMachine(as: endpoint) }) {
                    redundant.append(endpoint)
                } else {
                    endpoints.append(endpoint)
                }
            } catch {
                reader.note(element.place, error.description)
            }
        }
        if !(1...ChainReader.endpointLimit).contains(elements.count), reader.isList(section, "rpc") {
            reader.note(section.place("rpc"), ChainError.endpointCount(limit: ChainReader.endpointLimit).description)
        }
        return (endpoints, redundant)
    }
}
