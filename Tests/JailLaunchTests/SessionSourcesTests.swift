import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

/// What the maker opens for an order, whatever its supervisor has become.
struct `Directories of sessions` {
    /// A jail's `/data` with `boxes` in it, and something beside that.
    struct Fixture {
        let directory: TemporaryDirectory
        let gateway: LaunchPlan
        let sessions: SessionsPlan

        init() throws {
            let directory = try TemporaryDirectory()
            let data = try directory.directory("data", mode: 0o700)
            for name in ["data/boxes", "data/boxes/a", "data/secret"] { try directory.directory(name, mode: 0o755) }
            try directory.file("data/boxes/file", "")
            try System.makeSymlink("\(data)/boxes/link", to: "a")
            self.directory = directory
            let identity = try System.status(data).identity
            gateway = .bare {
                $0.mounts = [
                    .bind(
                        BindPlan(
                            source: data, target: "/data", identity: identity, isDirectory: true, makesTarget: false,
                            attributes: [], purpose: .data))
                ]
            }
            sessions = SessionVettingFixture.plan(source: data)
        }

        func open(_ change: (inout SessionOrder.Mount) -> Void) throws -> [SessionStart.Source] {
            var mount = SessionOrder.Mount(target: "/workspace", root: 0, below: "a", readOnly: false)
            change(&mount)
            var order = SessionOrder(id: "a")
            order.workspace = mount
            return try SessionSources(gateway, sessions).open(order)
        }
    }

    @Test func `a directory is found by its root and the way from there`() throws {
        let fixture = try Fixture()
        let path = fixture.directory.path + "/data/boxes/a"
        let source = try #require(try fixture.open { _ in }.first)
        #expect(source.path == path && source.target == "/workspace" && !source.readOnly)
        #expect(source.identity == (try System.status(path).identity))
        #expect(try fixture.open { $0.below = "" }.first?.path == fixture.directory.path + "/data/boxes")
    }

    @Test(arguments: ["..", "../secret", "a/../../secret", "/etc", "link", "link/..", "../../../../../etc"])
    func `no way leads out of it, and none through a symlink`(below: String) throws {
        let fixture = try Fixture()
        let error = #expect(throws: JailError.self) { try fixture.open { $0.below = below } }
        #expect(error?.status == ExitStatus.refused, "\(error?.description ?? "")")
    }

    @Test(arguments: ["missing", "file", "a/missing"])
    func `what is no directory is none`(below: String) throws {
        let error = #expect(throws: JailError.self) { try Fixture().open { $0.below = below } }
        #expect(error?.status == ExitStatus.launchFailed)
        // In the jail's own words.
        #expect(error?.description.contains("'/data/boxes/\(below)'") == true)
    }

    @Test func `an order for what the profile does not have is none`() throws {
        let fixture = try Fixture()
        #expect(throws: JailError.self) { try fixture.open { $0.root = 7 } }
        #expect(throws: JailError.self) { try fixture.open { $0.root = -1 } }
        // The second root is read-only.
        #expect(throws: JailError.self) { try fixture.open { $0.root = 1 } }
    }

    @Test func `a mount whose source was replaced is not opened`() throws {
        let fixture = try Fixture()
        try System.rename(fixture.directory.path + "/data", to: fixture.directory.path + "/was")
        try fixture.directory.directory("data", mode: 0o700)
        let error = #expect(throws: SystemError.self) { try SessionSources(fixture.gateway, fixture.sessions) }
        #expect(error == SystemError(.check, .stale))
    }
}

enum SessionVettingFixture {
    static func plan(source: String) -> SessionsPlan {
        SessionsPlan(
            profile: Profile(name: "chat"),
            roots: [
                .init(path: "/data/boxes", mount: "/data", source: source, below: "boxes", readOnly: false),
                .init(path: "/data/secret", mount: "/data", source: source, below: "secret", readOnly: true),
            ], most: 4, program: "/usr/bin/clawjail")
    }
}

struct `Listening sockets` {
    @Test func `only a listening UNIX socket of that kind is one`() throws {
        let directory = try TemporaryDirectory()
        let socket = try System.makeUnixSocket(.sequencedPacket)
        #expect(try !System.isListening(socket.borrowed, .sequencedPacket))
        try System.bind(socket.borrowed, path: directory.path + "/socket")
        try System.listen(socket.borrowed)
        #expect(try System.isListening(socket.borrowed, .sequencedPacket))
        #expect(try !System.isListening(socket.borrowed, .stream))
        let internet = try System.makeInternetSocket()
        #expect(try !System.isListening(internet.borrowed, .stream))
        let pair = try System.makeSocketPair(.sequencedPacket)
        #expect(try !System.isListening(pair.first.borrowed, .sequencedPacket))
        #expect(try !System.isListening(.standardInput, .sequencedPacket))
        let file = try System.open("/dev/null", .readOnly)
        #expect(try !System.isListening(file.borrowed, .sequencedPacket))
    }
}
