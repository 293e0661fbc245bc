import NIOCore
import Testing

@testable import Transport

@Suite("Addresses that may be dialled")
struct AddressGuardTests {
    private func admits(_ text: String, allowing allowed: [String] = []) throws -> Bool {
        let ranges = try allowed.map { try #require(AddressRange($0)) }
        return AddressGuard(allowed: ranges).admits(try SocketAddress(ipAddress: text, port: 443))
    }

    @Test(
        "public addresses are dialled",
        arguments: [
            "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1",
            "198.17.0.1", "223.255.255.254", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:1.1.1.1",
            "64:ff9b::101:101", "2002:101:101::1",
        ])
    func dialled(address: String) throws {
        #expect(try admits(address))
    }

    @Test(
        "reject- private, local, shared, reserved and metadata addresses, plain or carried by another",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
            "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
            "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255",
            "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
            "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::", "2002:7f00:1::",
            "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
        ])
    func refused(address: String) throws {
        #expect(try !admits(address))
    }

    @Test("what the operator lists is dialled, and nothing beside it")
    func listed() throws {
        #expect(try admits("10.1.2.3", allowing: ["10.1.0.0/16"]))
        #expect(try !admits("10.2.0.0", allowing: ["10.1.0.0/16"]))
        #expect(try admits("::1", allowing: ["::1"]))
        #expect(try !admits("127.0.0.1", allowing: ["::1"]))
        #expect(try admits("::ffff:10.1.2.3", allowing: ["10.1.0.0/16"]))
        #expect(try admits("fd12::9", allowing: ["fd12::/15"]))
        #expect(try !admits("fd14::9", allowing: ["fd12::/15"]))
        #expect(try admits("192.168.9.9", allowing: ["0.0.0.0/0"]))
        #expect(try !admits("fd00::1", allowing: ["0.0.0.0/0"]))
    }

    @Test(
        "reject- blocks that are none",
        arguments: [
            "", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "::/129", "a/8",
            "fd00::1/8", "[::1]", "10.0.0.0/8/8", "010.0.0.0/8",
        ])
    func noBlock(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("a name is looked up in one place, and the addresses of a literal are itself")
    func lookUp() throws {
        let loopback = AddressLookup.addresses(of: "127.0.0.1", family: AddressLookup.ipv4)
        #expect(loopback == [try SocketAddress(ipAddress: "127.0.0.1", port: 0)])
        #expect(AddressLookup.addresses(of: "::1", family: AddressLookup.ipv4).isEmpty)
        #expect(AddressLookup.addresses(of: "name.invalid", family: AddressLookup.ipv4).isEmpty)
    }
}
