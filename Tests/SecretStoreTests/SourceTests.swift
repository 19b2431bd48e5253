import Glibc
import JailCore
import TestSupport
import Testing

@testable import SecretStore

@Suite struct SourceTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func file(_ name: String, _ text: String, mode: UInt32 = 0o600) throws -> String {
        let path = try directory.file(name, text)
        try System.changeMode(path, mode)
        return path
    }

    @Test func `a file gives its one line`() throws {
        let path = try file("token", "t0ken\n")
        let values = try FileSource().resolve([path, path], now: 0)
        #expect(values.count == 1)
        #expect(text(values[path]?.current) == "t0ken")
        let key = try file("key", "-----BEGIN-----\nabc\n")
        #expect(failure { () throws(JailError) in _ = try FileSource().resolve([key], now: 0) }?.path == key)
        let lines = try FileSource(isMultiline: true).resolve([key], now: 0)
        #expect(text(lines[key]?.current) == "-----BEGIN-----\nabc\n")
    }

    @Test func `a file that others may read, a symlink, a FIFO and a relative path are refused`() throws {
        let open = try file("open", "t0ken", mode: 0o644)
        let good = try file("good", "t0ken")
        try System.makeSymlink("\(directory.path)/link", to: good)
        #expect(unsafe mkfifo("\(directory.path)/fifo", 0o600) == 0)
        for path in [open, "\(directory.path)/link", "\(directory.path)/fifo", directory.path, "token", ""] {
            let error = failure { () throws(JailError) in _ = try FileSource().resolve([path], now: 0) }
            #expect(error != nil, "\(path)")
            #expect(error?.description.contains("t0ken") == false)
        }
    }

    @Test func `a credential is found by its name, and by no path`() throws {
        _ = try file("api-token", "t0ken\n", mode: 0o440)
        let outside = try TemporaryDirectory()
        try System.changeMode(directory.path, 0o500)
        let source = try CredentialSource(directory: directory.path)
        #expect(text(try source.resolve(["api-token"], now: 0)["api-token"]?.current) == "t0ken")
        for id in ["", ".", "..", ".hidden", "a/b", "../\(outside.path)/x", "a\nb"] {
            #expect(failure { () throws(JailError) in _ = try source.resolve([id], now: 0) } != nil, "\(id)")
        }
        let missing = failure { () throws(JailError) in _ = try source.resolve(["other"], now: 0) }
        #expect(missing?.status == ExitStatus.notThere)
        try System.changeMode(directory.path, 0o777)
        #expect(failure { () throws(JailError) in _ = try CredentialSource(directory: directory.path) } != nil)
        #expect(failure { () throws(JailError) in _ = try CredentialSource(directory: "relative") } != nil)
    }

    @Test func `a variable counts once`() throws {
        unsafe setenv("CLAWJAIL_TEST_SOURCE", "hunter2", 1)
        let values = try EnvironmentSource().resolve(["CLAWJAIL_TEST_SOURCE"], now: 0)
        #expect(text(values["CLAWJAIL_TEST_SOURCE"]?.current) == "hunter2")
        for id in ["CLAWJAIL_TEST_SOURCE", "CLAWJAIL_TEST_NOT_THERE", "", "1A", "A=B", "A B", "[", "A\u{60}"] {
            let error = failure { () throws(JailError) in _ = try EnvironmentSource().resolve([id], now: 0) }
            #expect(error != nil, "\(id)")
        }
    }

    @Test func `base64url is what the standard says`() throws {
        // Section 10 of RFC 4648, and the two digits that are other ones in base64.
        for (given, expected) in [
            ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] { #expect(text(try GeneratedSecret.encode(try secret(given))) == expected) }
        #expect(text(try GeneratedSecret.encode(try SecretBytes(copying: [0xFB, 0xFF, 0xFE]))) == "-__-")
        let generated = text(try GeneratedSecret.make(randomBytes: 32))
        #expect(generated.utf8.count == 43)
        #expect(try generated != text(GeneratedSecret.make(randomBytes: 32)))
    }
}
