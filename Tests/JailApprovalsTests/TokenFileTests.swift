import JailApprovals
import JailCore
import JailPolicy
import TestSupport
import Testing

struct `The file of tokens` {
    private static func token(_ name: String) -> AccessToken {
        AccessToken(
            name: name, role: .viewer, owner: nil, created: 1, expires: .max, digest: AccessToken.digest(of: name))
    }

    @Test func `is empty where there is none, and is this user's alone`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/tokens.json"
        #expect(try TokenFile.read(path).tokens.isEmpty)
        try TokenFile.change(directory.path, "tokens.json") { (list) throws(JailError) in
            do throws(ValueError) { try list.add(Self.token("a")) } catch {
                throw JailError(.usage, reason: error.reason)
            }
        }
        #expect(try TokenFile.read(path).tokens.map(\.name) == ["a"])
        #expect(try System.status(path).permissions & 0o777 == 0o600)
    }

    @Test func `that others could have written is not read, nor one that is no list`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/tokens.json"
        func write(_ text: String, mode: UInt32) throws {
            let file = try System.open(path, [.writeOnly, .create, .truncate], mode: 0o600)
            try System.writeAll(file.borrowed, text)
            try System.changeMode(file.borrowed, mode)
        }
        try write(#"{"tokens":[]}"#, mode: 0o600)
        #expect(try TokenFile.read(path).tokens.isEmpty)
        try write(#"{"tokens":[]}"#, mode: 0o644)
        #expect(throws: JailError.self) { _ = try TokenFile.read(path) }
        try write("{", mode: 0o600)
        #expect(throws: JailError.self) { _ = try TokenFile.read(path) }
        try System.rename(path, to: "\(path).real")
        try System.makeSymlink(path, to: "\(path).real")
        #expect(throws: JailError.self) { _ = try TokenFile.read(path) }
    }
}
