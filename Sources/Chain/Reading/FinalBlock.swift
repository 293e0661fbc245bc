import Primitives

/// The newest block that an endpoint calls final.
struct FinalBlock: Sendable, Equatable {
    let number: UInt64
    /// Its hash; nil where the endpoint was only asked for a newer block.
    let hash: Bytes32?

    /// Throws when this block cannot be final if `earlier` was: it lies below it, or in its place.
    func check(after earlier: FinalBlock?) throws(EndpointFault.Reason) {
        guard let earlier else { return }
        let replaces = number == earlier.number && hash != nil && earlier.hash != nil && hash != earlier.hash
        guard number >= earlier.number, !replaces else { throw .wentBack(from: earlier.number, to: number) }
    }
}
