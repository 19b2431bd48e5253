import DNSMessages
import EgressDNS
import JailPolicy
import NIOCore
import NIOPosix
import Testing

func host(_ text: String) throws -> HostName { try #require(HostName(wire: text.utf8)) }

func query(
    _ text: String, _ type: DNSType = .a, id: UInt16 = 0x4242, extensions: DNSExtensions? = nil
) throws -> DNSQuery {
    DNSQuery(id: id, question: DNSQuestion(name: DNSName(try host(text)), type: type), extensions: extensions)
}

/// An event loop of the test's own; what it opened is gone afterwards.
func withLoop<T: Sendable>(_ body: (any EventLoop) async throws -> T) async throws -> T {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
        let result = try await body(group.next())
        try await group.shutdownGracefully()
        return result
    } catch {
        try await group.shutdownGracefully()
        throw error
    }
}

extension IPAddress {
    /// 192.0.2.N.
    static func sample(_ number: UInt32) -> IPAddress { .v4(0xC000_0200 + number) }
    /// 2001:db8::N.
    static func sample6(_ number: UInt64) -> IPAddress { .v6(high: 0x2001_0DB8_0000_0000, low: number) }
}

extension NIODeadline {
    /// So many seconds after some beginning.
    static func second(_ number: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000_000) + .seconds(number) }
}
