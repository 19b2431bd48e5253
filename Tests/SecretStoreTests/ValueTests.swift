import JailCore
import TestSupport
import Testing

@testable import SecretStore

@Suite struct ValueTests {
    private func taken(_ bytes: [UInt8], multiline: Bool = false) -> String? {
        do throws(JailError) {
            let given = try attempt(.secrets) { () throws(SystemError) in try SecretBytes(copying: bytes) }
            return text(try SecretValue.taken(given, multiline: multiline))
        } catch {
            #expect(error.status == ExitStatus.usage)
            return nil
        }
    }

    private func taken(_ text: String, multiline: Bool = false) -> String? {
        taken(Array(text.utf8), multiline: multiline)
    }

    @Test func `one end of a line at the end is no part of a value`() {
        #expect(taken("abc") == "abc")
        #expect(taken("abc\n") == "abc")
        #expect(taken("abc\r\n") == "abc")
        #expect(taken(" a b ") == " a b ")
    }

    @Test(arguments: ["", "\n", "\r\n", "a\nb", "a\n\n", "a\rb", "a\r", "a\0b", "\0"])
    func `empty values, more lines than one and NUL bytes are refused`(given: String) {
        #expect(taken(given) == nil)
    }

    @Test func `--multiline takes lines as they are, and no NUL byte`() {
        #expect(taken("a\nb\n", multiline: true) == "a\nb\n")
        #expect(taken("a\r\nb", multiline: true) == "a\r\nb")
        #expect(taken("a\0b", multiline: true) == nil)
        #expect(taken("", multiline: true) == nil)
    }

    @Test func `64 KiB is the most`() {
        let most = [UInt8](repeating: 0x61, count: 64 << 10)
        #expect(taken(most)?.utf8.count == 64 << 10)
        #expect(taken(most + [0x0A])?.utf8.count == 64 << 10)
        #expect(taken(most + [0x61]) == nil)
    }

    @Test(arguments: ["a", "0", "github", "a.b-c_d", String(repeating: "x", count: 64)])
    func `a name of small letters, digits and three signs is one`(name: String) throws {
        try SecretName.check(name)
    }

    @Test(arguments: [
        "", ".", "..", ".a", "-a", "_a", "A", "aB", "a/b", "a b", "a\nb", "a\0", "ä", String(repeating: "x", count: 65),
    ]) func `anything else is none`(name: String) {
        #expect(failure { () throws(JailError) in try SecretName.check(name) }?.status == ExitStatus.usage)
    }

    @Test func `length classes go up to 64 KiB`() {
        #expect(LengthClass(count: 0) == nil)
        #expect(LengthClass(count: 1) == .upTo32)
        #expect(LengthClass(count: 32) == .upTo32)
        #expect(LengthClass(count: 33) == .upTo64)
        #expect(LengthClass(count: 65536) == .upTo64K)
        #expect(LengthClass(count: 65537) == nil)
    }
}
