/// What a duty over many payments came to, and the damage that it passed over.
///
/// One row that does not say what it must does not keep the others from what is due for them; whoever has the duty done
/// tells an operator of the damage.
package struct Salvaged<Value: Sendable>: Sendable {
    /// What it came to without them.
    package var value: Value
    /// Why each of the payments that were passed over could not be read or booked, `damaged` in most cases.
    package var damage: [LedgerError]

    /// Makes an answer.
    package init(_ value: Value, damage: [LedgerError] = []) {
        self.value = value
        self.damage = damage
    }
}

extension Salvaged: Equatable where Value: Equatable {}
