import JailPolicy
import NIOCore
import TestSupport
import Testing

@testable import EgressDNS

struct `Resolver configuration` {
    private func read(_ text: String) -> ResolverConfiguration {
        ResolverConfiguration(resolvConf: Array(text.utf8), hosts: [])
    }

    @Test func `servers in their order, at most three`() {
        let servers = read(
            """
            # nameserver 192.0.2.99
            search example.org
            nameserver 192.0.2.1 # here
            \tnameserver\t2001:db8::1\r
            nameserver fe80::1%eth0
            nameserver 192.0.2.3
            nameserver 192.0.2.4
            """
        ).servers
        #expect(servers.map(\.address) == [.sample(1), .sample6(1), .sample(3)])
        #expect(servers.allSatisfy { $0.port == 53 })
    }

    @Test(arguments: [
        "", "garbage", "nameserver", "nameserver x", "nameserver 1.2.3", "nameserver 1.2.3.4\0", "\0\u{FF}",
    ])
    func `without a server there is the one of this machine`(text: String) {
        #expect(read(text).servers == [Endpoint(address: .v4(0x7F00_0001), port: 53)])
    }

    @Test(arguments: [
        ("", 5, 2), ("options timeout:2 attempts:3", 2, 3), ("options timeout:0 attempts:0", 1, 1),
        ("options timeout:99\noptions attempts:99", 5, 5), ("options timeout: attempts:x timeout", 5, 2),
        ("options timeout:-3 attempts:-1", 1, 1), ("options timeout:99999999999999999999", 5, 2),
        ("; options timeout:1", 5, 2),
    ])
    func `options count within bounds`(text: String, timeout: Int64, attempts: Int) {
        let configuration = read(text)
        #expect(configuration.timeout == .seconds(timeout))
        #expect(configuration.attempts == attempts)
    }

    @Test func `a profile's own servers`() throws {
        let servers = (1...5).map { Endpoint(address: .sample($0), port: 5_300) }
        #expect(try #require(ResolverConfiguration(servers: servers)).servers == Array(servers.prefix(3)))
        #expect(ResolverConfiguration(servers: []) == nil)
    }

    @Test func `random bytes are read without harm`() {
        var generator = Seeded(17)
        let seed = Array("nameserver 192.0.2.1\noptions timeout:3 attempts:4\n192.0.2.1 a.example b # c\n".utf8)
        for _ in 0..<5_000 {
            var bytes = seed
            for _ in 0..<8 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let configuration = ResolverConfiguration(resolvConf: bytes, hosts: bytes)
            #expect((1...3).contains(configuration.servers.count))
            #expect((1...5).contains(configuration.attempts))
        }
    }
}

struct `Hosts file` {
    @Test func `names, aliases, both families, comments and garbage`() throws {
        let text = """
            127.0.0.1 localhost
            192.0.2.1\tWWW.example.org.  www # mail
            2001:db8::1 www.example.org
            192.0.2.1 www.example.org
            192.0.2.999 bad.example
            0x7f.1 bad.example
            192.0.2.2 under_score ok.example -x 1.2.3.4
            192.0.2.3
            """
        let hosts = HostsFile.parse(Array(text.utf8))
        #expect(
            try hosts == [
                host("localhost"): [.v4(0x7F00_0001)], host("www.example.org"): [.sample(1), .sample6(1)],
                host("www"): [.sample(1)], host("ok.example"): [.sample(2)],
            ])
    }

    @Test(arguments: [
        "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x1.2.3.4", "1.2.3.256", "16909060", "127.1", "1.2.3.4\0", "1.2.3.4 ", "",
        "::1%lo", "[::1]", "1::2::3", ":", "12345::", "١.2.3.4",
    ])
    func `an address has one spelling, or it is none`(text: String) {
        #expect(NumericAddress.parse(text.utf8) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", IPAddress.sample(1)), ("0.0.0.0", .v4(0)), ("255.255.255.255", .v4(.max)),
        ("2001:DB8::1", .sample6(1)), ("::", .v6(high: 0, low: 0)),
        ("::ffff:1.2.3.4", .v6(high: 0, low: 0xFFFF_0102_0304)),
    ])
    func `addresses of both families`(text: String, address: IPAddress) throws {
        #expect(NumericAddress.parse(text.utf8) == address)
        let socketAddress = try NumericAddress.socketAddress(address, port: 53)
        #expect(try socketAddress == SocketAddress(ipAddress: text, port: 53))
    }
}
