import JailCore
import JailPolicy
import Testing

@testable import EgressControl

@Suite struct SecretGrantTests {
    static func grant(_ value: [UInt8]) throws -> SecretGrant {
        SecretGrant(
            name: "key", placeholder: try #require(SecretPlaceholder(text: "sk-Zk3mQ9xT7bW1cV5nR8yL2pD4hF6j")),
            value: SecretValue(value), grace: 60_000)
    }

    private func bytes(_ value: SecretValue) -> [UInt8] { value.withBytes { span in span.indices.map { span[$0] } } }

    @Test(arguments: [8, 100, 4096]) func `a secret arrives as it was sent, whatever is in it`(count: Int) throws {
        let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let message = EgressMessage.secret(try Self.grant(value)).bytes
        #expect(message.count <= EgressMessage.sizeLimit)
        let (first, second) = try System.makeSocketPair(.sequencedPacket).release()
        let channel = EgressChannel(OwnedDescriptor(first))
        let other = OwnedDescriptor(second)
        try System.send(other.borrowed, message)
        guard case .secret(let read) = try channel.nextOrder() else { throw SystemError(.check, .invalid) }
        #expect(read.name == "key" && read.grace == 60_000 && bytes(read.value) == value)
        #expect(read.placeholder.text == "sk-Zk3mQ9xT7bW1cV5nR8yL2pD4hF6j")
    }

    @Test func `a value that is not copied makes the same message, and a secret without one has its own`() throws {
        let grant = try Self.grant(Array("abcdefgh".utf8))
        let value = try SecretBytes(copying: Array("abcdefgh".utf8))
        let message = try EgressMessage.secret(grant.name, grant.placeholder, value, grace: grant.grace)
        #expect(message.withSpan { span in span.indices.map { span[$0] } } == EgressMessage.secret(grant).bytes)

        let (first, second) = try System.makeSocketPair(.sequencedPacket).release()
        let channel = EgressChannel(OwnedDescriptor(first))
        let other = OwnedDescriptor(second)
        try System.send(other.borrowed, message)
        guard case .secret(let read) = try channel.nextOrder() else { throw SystemError(.check, .invalid) }
        #expect(bytes(read.value) == Array("abcdefgh".utf8))
        try System.send(other.borrowed, EgressMessage.revoke("key", grant.placeholder).bytes)
        guard case .revoke("key", grant.placeholder) = try channel.nextOrder() else {
            throw SystemError(.check, .invalid)
        }
        try System.send(other.borrowed, [7] + Array("{\"name\":\"Key\"}".utf8))
        #expect(throws: SystemError.self) { try channel.nextOrder() }
    }

    @Test func `cut in its head, or with a value of the wrong size, it is refused`() throws {
        let whole = try Self.grant(Array("abcdefgh".utf8)).bytes
        #expect(SecretGrant(bytes: whole[...]) != nil)
        for count in whole.indices { #expect(SecretGrant(bytes: whole[..<count]) == nil) }
        #expect(SecretGrant(bytes: (whole + [UInt8](repeating: 0x61, count: 4089))[...]) == nil)
        let text = String(decoding: whole, as: UTF8.self)
        for (from, to) in [
            ("\"key\"", "\"Key\""), ("\"key\"", "1"), ("sk-Zk3m", "sk Zk3m"), ("60000", "-1"), ("60000", "\"1\""),
        ] {
            #expect(SecretGrant(bytes: Array(text.replacing(from, with: to).utf8)[...]) == nil, "\(from)")
        }
    }

    @Test func `another refresh token arrives as it was told, and nothing else does`() throws {
        let value = SecretValue("rt-another one".utf8)
        let message = EgressMessage.renewed("key", value).bytes
        guard case .renewed("key", let read)? = try EgressMessage.report(message, []) else {
            throw SystemError(.check, .invalid)
        }
        #expect(read.isSame(as: value) && !read.isSame(as: SecretValue("rt-another-one".utf8)))
        for text in [
            "", "key", "key\n", "key\nshort", "Key\nrt-another", "\nrt-another", "key\nrt-an\nother",
            "key\n rt-another", "key\n" + String(repeating: "x", count: 4097),
        ] {
            let isTaken = try EgressMessage.report([message[0]] + Array(text.utf8), []) != nil
            #expect(!isTaken, "\(text.prefix(20))")
        }
    }
}
