import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Name look-ups on threads of their own")
struct AddressLookupsTests {
    /// A name server that answers for some names at once and for `silent` ones when it is told to.
    private final class NameServer: Sendable {
        private let isReleased = Atomic<Bool>(false)
        private let asked = Mutex<[String]>([])

        var names: [String] { asked.withLock { $0 } }

        func find(_ host: String, _ family: Int32) -> [SocketAddress] {
            asked.withLock { $0.append(host) }
            while host.hasPrefix("silent"), !isReleased.load(ordering: .relaxed) { sched_yield() }
            guard family == AddressLookup.ipv4 else { return [] }
            return (try? SocketAddress(ipAddress: "192.0.2.7", port: 0)).map { [$0] } ?? []
        }

        func release() { isReleased.store(true, ordering: .relaxed) }
    }

    @Test("silent name servers take one agent's threads, and its callers are answered at the deadline")
    func silent() async throws {
        let server = NameServer()
        let lookups = AddressLookups(patience: .milliseconds(200)) { server.find($0, $1) }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let stuck = (0..<20).map {
            lookups.addresses(
                of: "silent\($0)", family: AddressLookup.ipv4, for: .agent(ConnectionOwner(high: 1, low: 1)), on: loop
            ).addresses
        }
        #expect(lookups.threads == 4)
        let honest = lookups.addresses(
            of: "fine", family: AddressLookup.ipv4, for: .agent(ConnectionOwner(high: 1, low: 2)), on: loop)
        #expect(try await honest.addresses.get().count == 1)
        for answer in stuck {
            await #expect(throws: LookupFailure.timedOut) { try await answer.get() }
        }
        // The threads are not to be had back, and nobody else is in their way.
        #expect(lookups.threads == 4)
        let again = lookups.addresses(
            of: "silent30", family: AddressLookup.ipv4, for: .agent(ConnectionOwner(high: 1, low: 1)), on: loop)
        await #expect(throws: LookupFailure.timedOut) { try await again.addresses.get() }
        #expect(server.names.count { $0.hasPrefix("silent") } == 4)
        server.release()
        while lookups.threads > 0 { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("more than 64 waiting look-ups of one agent are refused at once")
    func refused() async throws {
        let server = NameServer()
        let lookups = AddressLookups { server.find($0, $1) }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let pending = (0..<68).map {
            lookups.addresses(
                of: "silent\($0)", family: AddressLookup.ipv4, for: .agent(ConnectionOwner(high: 1, low: 1)), on: loop)
        }
        let refused = lookups.addresses(
            of: "silent", family: AddressLookup.ipv4, for: .agent(ConnectionOwner(high: 1, low: 1)), on: loop)
        await #expect(throws: LookupFailure.tooMany) { try await refused.addresses.get() }
        for one in pending { one.cancel() }
        for one in pending { await #expect(throws: LookupFailure.timedOut) { try await one.addresses.get() } }
        server.release()
        while lookups.threads > 0 { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("an address needs no look-up, and what is found is guarded and has the port")
    func resolver() async throws {
        let server = NameServer()
        let lookups = AddressLookups { server.find($0, $1) }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        func resolver(_ guarded: AddressGuard?) -> GuardedResolver {
            GuardedResolver(
                addresses: guarded, loop: loop, for: .agent(ConnectionOwner(high: 1, low: 3)), lookups: lookups)
        }
        let literal = try await resolver(nil).initiateAQuery(host: "10.0.0.1", port: 7).get()
        #expect(literal == [try SocketAddress(ipAddress: "10.0.0.1", port: 7)])
        #expect(try await resolver(nil).initiateAAAAQuery(host: "10.0.0.1", port: 7).get().isEmpty)
        #expect(server.names.isEmpty)
        let found = try await resolver(nil).initiateAQuery(host: "name", port: 9).get()
        #expect(found == [try SocketAddress(ipAddress: "192.0.2.7", port: 9)])
        await #expect(throws: AddressRefused.self) {
            try await resolver(AddressGuard()).initiateAQuery(host: "name", port: 9).get()
        }
        await #expect(throws: AddressRefused.self) {
            try await resolver(AddressGuard()).initiateAQuery(host: "10.0.0.1", port: 9).get()
        }
    }
}
