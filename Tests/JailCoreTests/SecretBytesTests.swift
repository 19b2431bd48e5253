import Glibc
import JailCore
import TestSupport
import Testing

@Suite struct SecretBytesTests {
    private func text(_ secret: borrowing SecretBytes) -> String {
        unsafe secret.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// What the kernel says of the mapping that holds an address.
    private func flags(of address: UInt) throws -> [Substring] {
        let lines = String(decoding: try System.readFile("/proc/self/smaps", limit: 64 << 20), as: UTF8.self)
            .split(separator: "\n")
        var isHere = false
        for line in lines {
            let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
            if ends.count == 2, let start = ends[0], let end = ends[1] { isHere = (start..<end).contains(address) }
            if isHere, line.hasPrefix("VmFlags:") { return line.split(separator: " ") }
        }
        return []
    }

    @Test func `bytes come out as they went in`() throws {
        let secret = try SecretBytes(copying: Array("correct horse".utf8))
        #expect(secret.count == 13)
        #expect(text(secret) == "correct horse")
        #expect(text(try secret.part(8..<13)) == "horse")
        #expect(text(try secret.part(0..<0)).isEmpty)
        #expect(throws: SystemError.self) { _ = try secret.part(8..<14) }
    }

    @Test func `a mapping is in no core dump, in no child, and locked where that is allowed`() throws {
        let secret = try SecretBytes(copying: [1, 2, 3])
        let address = unsafe secret.withBytes { UInt(bitPattern: $0.baseAddress) }
        let flags = try flags(of: address)
        #expect(flags.contains("dd"))
        #expect(flags.contains("wf"))
        #expect(flags.contains("lo") == secret.isLocked)
        withExtendedLifetime(secret) {}
    }

    @Test func `a mapping is gone with its owner`() throws {
        var address: UInt = 0
        do {
            let secret = try SecretBytes(copying: [UInt8](repeating: 7, count: 40_000))
            address = unsafe secret.withBytes { UInt(bitPattern: $0.baseAddress) }
            #expect(!(try flags(of: address)).isEmpty)
        }
        // Somebody else's mapping may be there by now; ours, of zeroes in a child and in no dump, is not.
        #expect(!(try flags(of: address)).contains("wf"))
    }

    @Test func `comparison knows same, other and shorter`() throws {
        let one = try SecretBytes(copying: Array("abcd".utf8))
        #expect(one.isSame(as: try SecretBytes(copying: Array("abcd".utf8))))
        for index in 0..<4 {
            var other = Array("abcd".utf8)
            other[index] ^= 0x80
            #expect(!one.isSame(as: try SecretBytes(copying: other)))
        }
        #expect(!one.isSame(as: try SecretBytes(copying: Array("abc".utf8))))
        #expect(!one.isSame(as: try SecretBytes(copying: Array("abcde".utf8))))
        #expect(try SecretBytes(count: 0).isSame(as: try SecretBytes(count: 0)))
    }

    @Test func `random bytes are all set, and never the same`() throws {
        let one = try SecretBytes.random(count: 1000)
        #expect(!one.isSame(as: try SecretBytes.random(count: 1000)))
        #expect(!(try one.part(990..<1000)).isSame(as: try SecretBytes(count: 10)))
    }

    @Test func `a file is read up to its limit`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("value", String(repeating: "x", count: 5000))
        let exact = try System.open(path, .readOnly)
        #expect(try System.readSecret(exact.borrowed, limit: 5000).count == 5000)
        let long = try System.open(path, .readOnly)
        #expect(errno { () throws(SystemError) in _ = try System.readSecret(long.borrowed, limit: 4999) } == .tooLarge)
        let target = try System.open("\(directory.path)/copy", [.writeOnly, .create], mode: 0o600)
        try System.writeAll(target.borrowed, try SecretBytes(copying: Array("copied".utf8)))
        #expect(try directory.read("copy") == "copied")
    }

    @Test func `a variable is read once, and is empty afterwards`() throws {
        unsafe setenv("CLAWJAIL_TEST_TAKEN", "hunter2", 1)
        let value = try #require(try System.takeEnvironmentSecret("CLAWJAIL_TEST_TAKEN", limit: 64))
        #expect(text(value.bytes) == "hunter2")
        #expect(System.environmentValue("CLAWJAIL_TEST_TAKEN")?.isEmpty == true)
        #expect(try System.takeEnvironmentSecret("CLAWJAIL_TEST_NONE", limit: 64) == nil)
        unsafe setenv("CLAWJAIL_TEST_TAKEN", "hunter2", 1)
        #expect(
            errno { () throws(SystemError) in _ = try System.takeEnvironmentSecret("CLAWJAIL_TEST_TAKEN", limit: 6) }
                == .tooLarge)
    }
}
