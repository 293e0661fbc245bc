/// What is remembered about origins, apart by whose choice they are: an agent that names many makes room only among its own.
struct OriginMemory<Value> {
    /// Origins that are remembered for one choice; about further ones nothing is.
    static var limit: Int { 64 }

    private var values: [Destination.Choice: [Origin: Value]] = [:]

    /// What is remembered; nothing is stored where there is no room.
    subscript(destination: Destination) -> Value? {
        get { values.isEmpty ? nil : values[destination.choice]?[destination.origin] }
        set {
            var own = values.removeValue(forKey: destination.choice) ?? [:]
            if own[destination.origin] != nil || own.count < Self.limit { own[destination.origin] = newValue }
            if !own.isEmpty { values[destination.choice] = own }
        }
    }

    /// Forgets what is known of origins that agents chose.
    mutating func forgetAgents() {
        values = values.filter { !$0.key.isOfAgent }
    }
}
