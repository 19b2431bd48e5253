import JailCore
import JailHost
import Testing

/// Run and state directories that root makes for a service's user.
@Suite struct ServiceDirectoryTests {
    private let base: TemporaryDirectory
    private let path: String

    init() throws {
        base = try TemporaryDirectory()
        path = "\(base.path)/clawjail-agent"
    }

    /// The directory for whoever has this number, and is called so.
    private func found(_ uid: UInt32 = System.effectiveUserID, name: String = "agent") -> String? {
        HostRequest.serviceDirectory(in: base.path, of: uid) {
            Accounts(passwd: Array("\(name):x:\(uid):1::/:/x\n".utf8))
        }
    }

    @Test func `it is the user's alone, by name`() throws {
        #expect(found() == nil)
        try System.makeDirectory(path, mode: 0o700)
        #expect(found() == path)
        #expect(found(name: "other") == nil)
        #expect(HostRequest.serviceDirectory(in: base.path, of: System.effectiveUserID) { nil } == nil)
    }

    @Test func `one of another owner is none`() throws {
        try System.makeDirectory(path, mode: 0o700)
        #expect(found(System.effectiveUserID + 1) == nil)
    }

    @Test(arguments: [0o710, 0o701, 0o750, 0o722, 0o755, 0o777] as [UInt32])
    func `one that others can look into is none`(mode: UInt32) throws {
        try System.makeDirectory(path, mode: 0o700)
        try System.changeMode(path, mode)
        #expect(found() == nil)
    }

    @Test func `what is no directory, or leads to one, is none`() throws {
        try System.makeDirectory("\(base.path)/real", mode: 0o700)
        try System.makeSymlink(path, to: "\(base.path)/real")
        #expect(found() == nil)
    }

    @Test(arguments: [".hidden", "sub/own"]) func `a name that is no plain one has none`(name: String) throws {
        try System.makeDirectory("\(base.path)/clawjail-sub", mode: 0o700)
        try System.makeDirectory("\(base.path)/clawjail-\(name)", mode: 0o700)
        #expect(found(name: name) == nil)
    }
}
