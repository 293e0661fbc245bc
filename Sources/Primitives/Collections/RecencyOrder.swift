/// Elements in the order of their last use.
///
/// Every operation takes constant time.
package struct RecencyOrder<Element: Sendable>: Sendable {
    private struct Node: Sendable {
        var element: Element?
        /// The places of the neighbours.
        ///
        /// Node 0 is a sentinel: its neighbours are the newest and the oldest element.
        var older: Int
        var newer: Int
    }

    private var nodes = [Node(element: nil, older: 0, newer: 0)]
    private var freePlaces: [Int] = []

    /// Begins without elements.
    package init() {}

    /// The element that was used least recently.
    package var oldest: Element? { nodes[nodes[0].newer].element }

    /// Adds an element as the one that was used last; returns its place, which names it until it is removed.
    package mutating func append(_ element: Element) -> Int {
        let place = freePlaces.popLast() ?? nodes.count
        if place == nodes.count { nodes.append(Node(element: nil, older: 0, newer: 0)) }
        nodes[place].element = element
        link(place)
        return place
    }

    /// Makes the element at a place the one that was used last.
    package mutating func use(_ place: Int) {
        guard nodes[0].older != place else { return }
        unlink(place)
        link(place)
    }

    /// Removes the element at a place that ``append(_:)`` returned.
    package mutating func remove(at place: Int) {
        unlink(place)
        nodes[place].element = nil
        freePlaces.append(place)
    }

    private mutating func link(_ place: Int) {
        let newest = nodes[0].older
        nodes[place].older = newest
        nodes[place].newer = 0
        nodes[newest].newer = place
        nodes[0].older = place
    }

    private mutating func unlink(_ place: Int) {
        let (older, newer) = (nodes[place].older, nodes[place].newer)
        nodes[older].newer = newer
        nodes[newer].older = older
    }
}
