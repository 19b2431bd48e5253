import JailCore
import Testing

@testable import JailPolicy

struct `Published ports with a token` {
    private func ports(_ text: String) throws -> [PublishedPort] {
        try profile("{ network: { publish: [\(text)] } }").network.publish
    }

    @Test func `a port is a text, or an object that names a token`() throws {
        let ports = try ports("'1:2', { port: '0.0.0.0:8080:18789', token: 'gateway' }, { port: '3' }")
        var second = PublishedPort(hostPort: 8080, jailPort: 18789)
        (second.hostAddress, second.token) = (0, "gateway")
        #expect(ports == [PublishedPort(hostPort: 1, jailPort: 2), second, PublishedPort(hostPort: 3, jailPort: 3)])
        #expect(second.shown == "0.0.0.0:8080 → 18789, with token 'gateway'")
    }

    @Test func `what is written is read again`() throws {
        let before = try profile("{ network: { publish: ['1:2', { port: '8080:18789', token: 'gateway' }] } }")
        let text = before.json.text()
        #expect(text.contains(#"["127.0.0.1:1:2",{"port":"127.0.0.1:8080:18789","token":"gateway"}]"#))
        #expect(try profile(text).network == before.network)
    }

    /// A child, or a word of the command line, takes the token from no port.
    @Test(arguments: [
        "{ token: 'a' }", "{ port: '1', token: 'A B' }", "{ port: '1', token: 1 }", "{ port: 1, token: 'a' }",
        "{ port: '1', other: 1 }", "{ port: '1', token: 'a' }, '1'", "'1', { port: '1', token: 'a' }",
        "{ port: '1', token: 'a' }, { port: '1', token: 'b' }", "{ port: '1', token: 'a' }, { port: '2', token: 'b' }",
    ])
    func `what is in doubt is refused`(text: String) {
        #expect(throws: JailError.self) { try ports(text) }
    }
}
