import NIOCore

/// The idle HTTP/1.1 connections of one event loop, each with its owner's.
///
/// Where they are too many, an owner that has the most of a gateway's loses its oldest: others' connections are not closed
/// because one opens many. Among owners with equally many it is the oldest connection of all. Not thread-safe: every call is
/// made on the loop.
final class IdleConnections {
    /// The idle connections to one destination that have carried one owner's exchanges, or nobody's yet; oldest first.
    final class Shelf {
        fileprivate let key: Key
        fileprivate let part: IdlePot.Part
        fileprivate var connections: [UpstreamConnection] = []
        fileprivate var isListed = true

        fileprivate init(_ key: Key, part: IdlePot.Part) {
            self.key = key
            self.part = part
        }
    }

    fileprivate struct Key: Hashable {
        let destination: Destination
        let owner: ConnectionOwner?
    }

    /// What one choice has here.
    private final class Group {
        let part: IdlePot.Part
        var shelves: [ObjectIdentifier: Shelf] = [:]

        init(_ part: IdlePot.Part) { self.part = part }
    }

    /// How many shelves may be empty before all empty ones are cleared away.
    private static let emptyShelves = 64

    private let loop: any EventLoop
    private let bound: IdleBound
    private var shelves: [Key: Shelf] = [:]
    private var groups: [Destination.Choice: Group] = [:]
    /// How many there are.
    private(set) var count = 0

    init(loop: any EventLoop, bound: IdleBound) {
        self.loop = loop
        self.bound = bound
    }

    /// Where an owner's connections to a destination are kept, if there were any of late.
    func existingShelf(for destination: Destination, owner: ConnectionOwner?) -> Shelf? {
        shelves[Key(destination: destination, owner: owner)]
    }

    /// Where an owner's connections to a destination are kept.
    func shelf(for destination: Destination, owner: ConnectionOwner?) -> Shelf {
        let key = Key(destination: destination, owner: owner)
        if let shelf = shelves[key] { return shelf }
        // Agents name as many destinations as they like, and most keep nothing.
        if shelves.count >= Self.emptyShelves + 2 * count { tidy() }
        let group = group(of: destination.choice)
        let shelf = Shelf(key, part: group.part)
        shelves[key] = shelf
        group.shelves[ObjectIdentifier(shelf)] = shelf
        return shelf
    }

    private func group(of choice: Destination.Choice) -> Group {
        if let group = groups[choice] { return group }
        let (loop, connections) = (loop, NIOLoopBound(self, eventLoop: loop))
        let part = bound.join(choice) {
            loop.execute { connections.value.closeOldest(of: choice) }
        }
        let group = Group(part)
        groups[choice] = group
        return group
    }

    /// Takes the newest connection of a shelf, so that superfluous ones grow old and go.
    func take(from shelf: Shelf) -> UpstreamConnection? {
        guard let connection = shelf.connections.popLast() else { return nil }
        countDown(shelf)
        return connection
    }

    /// Keeps a connection while there are at most `limit` idle ones of its choice; older ones make room for it.
    func keep(_ connection: UpstreamConnection, on shelf: Shelf, limit: Int) {
        // It may have been cleared away while all its connections were in use.
        let shelf = shelf.isListed ? shelf : self.shelf(for: shelf.key.destination, owner: shelf.key.owner)
        connection.shelf = shelf
        shelf.connections.append(connection)
        count += 1
        guard shelf.part.add() > limit, shelf.part.pot.makeRoom(from: shelf.part) else { return }
        closeOldest(of: shelf.key.destination.choice)
    }

    /// Forgets a connection that is closed.
    func forget(_ connection: UpstreamConnection) {
        guard let shelf = connection.shelf, let index = shelf.connections.lastIndex(where: { $0 === connection }) else {
            return
        }
        shelf.connections.remove(at: index)
        countDown(shelf)
    }

    private func countDown(_ shelf: Shelf) {
        shelf.part.remove()
        count -= 1
    }

    private func closeOldest(of choice: Destination.Choice) {
        guard let group = groups[choice] else { return }
        func isRather(_ one: Shelf, _ other: Shelf) -> Bool {
            if one.connections.count != other.connections.count {
                return one.connections.count > other.connections.count
            }
            guard let first = one.connections.first, let second = other.connections.first else { return false }
            return first.idleSince < second.idleSince
        }
        guard let shelf = group.shelves.values.min(by: isRather), let oldest = shelf.connections.first else { return }
        shelf.connections.removeFirst()
        countDown(shelf)
        oldest.close()
    }

    /// All of them.
    var all: [UpstreamConnection] { shelves.values.flatMap(\.connections) }

    /// How many shelves there are, empty ones included.
    var shelfCount: Int { shelves.count }

    /// Clears away what is empty.
    func tidy() {
        for (choice, group) in groups {
            for (identifier, shelf) in group.shelves where shelf.connections.isEmpty {
                shelf.isListed = false
                shelves[shelf.key] = nil
                group.shelves[identifier] = nil
            }
            guard group.shelves.isEmpty else { continue }
            groups[choice] = nil
            bound.leave(choice, group.part)
        }
    }
}
