/// What is remembered about origins, apart by whose choice they are: an agent that names many makes room only among its own.
struct OriginMemory<Value> {
    /// Origins that are remembered for one choice; with more, the one that was learned about longest ago is forgotten.
    static var limit: Int { 64 }

    private struct Entry {
        var value: Value
        /// Grows with each thing that is learned.
        var order: UInt64
    }

    private var entries: [Destination.Choice: [Origin: Entry]] = [:]
    private var lastOrder: UInt64 = 0

    /// What is remembered.
    subscript(destination: Destination) -> Value? {
        get { entries.isEmpty ? nil : entries[destination.choice]?[destination.origin]?.value }
        set {
            guard let newValue else {
                entries[destination.choice]?[destination.origin] = nil
                if entries[destination.choice]?.isEmpty == true { entries[destination.choice] = nil }
                return
            }
            lastOrder += 1
            entries[destination.choice, default: [:]][destination.origin] = Entry(value: newValue, order: lastOrder)
            guard let own = entries[destination.choice], own.count > Self.limit else { return }
            if let oldest = own.min(by: { $0.value.order < $1.value.order })?.key {
                entries[destination.choice]?[oldest] = nil
            }
        }
    }

    /// Forgets what is known of origins that agents chose.
    mutating func forgetAgents() {
        entries = entries.filter { !$0.key.isOfAgent }
    }
}
