import CLinux
internal import Glibc
import JailCore
import JailLandlock
import TestSupport
import Testing

@testable import JailPlan

@Suite(.timeLimit(.minutes(1)), .needsLandlock(2))
struct `The Landlock wall` {
    static func enter(
        _ rules: [LandlockPlan.Rule], ports: [UInt16]? = nil, scoped: Bool = false
    ) throws(SystemError) {
        try System.setNoNewPrivileges()
        let plan = LandlockPlan(
            abi: min(System.landlockABI(), LandlockPlan.mostABI), rules: rules, bindPorts: ports, scoped: scoped)
        try plan.apply()
    }

    static func create(_ path: String) throws(SystemError) {
        _ = try System.open(path, [.writeOnly, .create], mode: 0o600)
    }

    @Test func `writing works where it is granted, and nowhere else`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            let granted = try host.directory("granted")
            let path = host.path
            let file = try host.file("f", "x")
            try Child.run {
                try Self.enter([.init(path: "/", access: .read), .init(path: granted, access: .write)])
                try Self.create(granted + "/new")
                try System.makeDirectory(granted + "/d", mode: 0o700)
                try requireEqual(try text(file), "x")
                try requireFailure(.accessDenied) { () throws(SystemError) in try Self.create(path + "/new") }
                try requireFailure(.accessDenied) { () throws(SystemError) in _ = try System.open(file, .writeOnly) }
                try requireFailure(.accessDenied) { () throws(SystemError) in try System.unlink(file) }
                try requireFailure(.accessDenied) { () throws(SystemError) in
                    try System.makeDirectory(path + "/d", mode: 0o700)
                }
                try requireFailure(.accessDenied) { () throws(SystemError) in
                    try System.makeSymlink(path + "/l", to: "f")
                }
            }
        }
    }

    @Test func `what no rule names cannot even be read`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            let granted = try host.directory("granted")
            let file = try host.file("f", "x")
            try Child.run {
                try Self.enter([.init(path: granted, access: .read)])
                try requireFailure(.accessDenied) { () throws(SystemError) in _ = try System.readFile(file) }
            }
        }
    }

    @Test func `files move between directories that may be written, and not out of them`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            for name in ["a", "b", "c"] { try host.directory(name) }
            try host.file("a/f")
            let path = host.path
            try Child.run {
                try Self.enter(
                    [.init(path: "/", access: .read)] + ["a", "b"].map { .init(path: "\(path)/\($0)", access: .write) })
                try System.rename("\(path)/a/f", to: "\(path)/b/f")
                do throws(SystemError) {
                    try System.rename("\(path)/b/f", to: "\(path)/c/f")
                    throw SystemError(.check, .invalid)
                } catch {
                    try require([Errno.accessDenied, .crossDevice].contains(error.errno), "\(error)")
                }
            }
            #expect(try host.names() == ["a", "b", "c"])
        }
    }

    @Test func `a program is executed where that is granted, and not where reading is`() async {
        await #expect(processExitsWith: .success) {
            let program = try #require(Program.path(of: "true"))
            func start() throws(SystemError) {
                let child = try System.spawn(
                    program, arguments: ["true"], environment: [], directory: "/", terminal: nil)
                _ = try System.wait(forChild: child)
            }
            try Child.run {
                try Self.enter([.init(path: "/", access: .read)])
                try requireFailure(.accessDenied) { () throws(SystemError) in try start() }
            }
            try Child.run {
                try Self.enter([.init(path: "/", access: .execute)])
                try start()
            }
        }
    }

    @Test(.needsLandlock(4)) func `a port is bound if it is in the list`() async {
        await #expect(processExitsWith: .success) {
            func freePort() throws(SystemError) -> UInt16 {
                let socket = try System.makeInternetSocket()
                try System.bind(socket.borrowed, address: 0x7F00_0001, port: 0)
                return try System.localPort(socket.borrowed)
            }
            let port = try freePort()
            try Child.run {
                try Self.enter([.init(path: "/", access: .read)], ports: [port])
                let socket = try System.makeInternetSocket()
                try requireFailure(.accessDenied) { () throws(SystemError) in
                    try System.bind(socket.borrowed, address: 0x7F00_0001, port: port ^ 1)
                }
                try System.bind(socket.borrowed, address: 0x7F00_0001, port: port)
            }
        }
    }

    @Test(.needsLandlock(6)) func `signals and abstract sockets beyond the domain are out of reach`() async {
        await #expect(processExitsWith: .success) {
            let name = "clawjail-test-\(System.processID)"
            let listener = try System.makeUnixSocket(.stream)
            try requireEqual(Self.bindAbstract(listener.borrowed, name), 0)
            try System.listen(listener.borrowed)
            let parent = System.processID
            try Child.run {
                let before = try System.makeUnixSocket(.stream)
                try requireEqual(Self.connectAbstract(before.borrowed, name), 0)
                try Self.enter([.init(path: "/", access: .read)], scoped: true)
                let after = try System.makeUnixSocket(.stream)
                try requireEqual(Self.connectAbstract(after.borrowed, name), -1)
                try requireFailure(.notPermitted) { () throws(SystemError) in try System.kill(parent, 0) }
                try System.kill(System.processID, 0)
            }
        }
    }

    private static func bindAbstract(_ socket: Descriptor, _ name: String) -> Int32 {
        unsafe abstract(name) { unsafe bind(socket.number, $0, $1) }
    }

    private static func connectAbstract(_ socket: Descriptor, _ name: String) -> Int32 {
        unsafe abstract(name) { unsafe connect(socket.number, $0, $1) }
    }

    /// Calls with an address in the abstract namespace, see unix(7).
    private static func abstract(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = 1
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: $0.dropFirst()).copyBytes(from: name.utf8)
        }
        let length = socklen_t(3 + name.utf8.count)
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
