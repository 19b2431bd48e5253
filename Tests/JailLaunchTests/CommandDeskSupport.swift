import CommandWire
import JailCommands
import JailCore
import JailPolicy
import TestSupport

@testable import JailLaunch
@testable import JailPlan

/// Runs nothing, and remembers what it was told.
final class FakeRuns: CommandRuns {
    enum Told: Equatable {
        case start(UInt32, [String], CommandCall.Size?)
        case signal(UInt32, UInt8)
        case resize(UInt32, CommandCall.Size)
        case end(UInt32)
        case endAll
    }

    var told: [Told] = []
    var reports: [CommandReport] = []
    var isBusy = false
    /// Of the last call.
    var streams: [SharedDescriptor] = []

    var pollEntries: [System.PollEntry] { [] }
    var due: Int64? { nil }
    func handle(_ ready: System.PollResult) throws(SystemError) {}

    func start(_ call: CommandCall, streams: [SharedDescriptor], number: UInt32) throws(SystemError) -> Bool {
        if isBusy { return false }
        told.append(.start(number, call.grant.vector, call.terminal))
        self.streams = streams
        return true
    }

    func signal(_ number: UInt32, _ signal: UInt8) throws(SystemError) { told.append(.signal(number, signal)) }
    func resize(_ number: UInt32, _ size: CommandCall.Size) throws(SystemError) { told.append(.resize(number, size)) }
    func end(_ number: UInt32) throws(SystemError) { told.append(.end(number)) }
    func takeReports() -> [CommandReport] {
        defer { reports = [] }
        return reports
    }
    func endAll() { told.append(.endAll) }
}

/// A desk at a socket of its own.
final class DeskBench {
    let runs = FakeRuns()
    let desk: CommandDesk
    private let directory: TemporaryDirectory
    private let path: String
    private var waiting: [SharedDescriptor] = []

    /// `npm test`, `git push [-q] origin` never `--force`, and `rm -r` that asks.
    static var rules: CommandRules {
        var npm = CommandRule(name: "npm", program: "/usr/bin/npm")
        npm.arguments = [CommandArgument(.literal("test"))]
        var git = CommandRule(name: "git", program: "/usr/bin/git")
        git.arguments = [CommandArgument(.literal("push")), CommandArgument(.literal("origin"))]
        git.flags = [CommandFlag(["-q"])]
        git.denied = ["--force"]
        var remove = CommandRule(name: "rm", program: "/usr/bin/rm")
        remove.arguments = [CommandArgument(.literal("old"))]
        remove.asks = true
        var rules = CommandRules()
        rules.rules = [npm, git, remove]
        return rules
    }

    static let host = CommandsPlan.Place.host(
        CommandsPlan.HostPlace(
            user: HostUser(identity: HostIdentity(name: "logs", uid: 5, gid: 5), groups: [], home: "/"),
            program: "/usr/bin/journalctl", directory: "/", isOther: true))

    init(asksUnlisted: Bool = false, admits: @escaping (SharedDescriptor) -> Bool = { _ in true }) throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/s"
        desk = CommandDesk(
            CommandsPlan(rules: Self.rules, places: [.jail, .jail, .jail]), profile: "mine", asksUnlisted: asksUnlisted,
            runs, admits: admits)
        let listener = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
        try System.bind(listener.borrowed, path: path)
        try System.listen(listener.borrowed)
        try System.setNonBlocking(listener.borrowed)
        try desk.adopt([listener])
    }

    func connect() throws -> SharedDescriptor {
        let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
        try System.connect(socket.borrowed, path: path)
        try System.setNonBlocking(socket.borrowed)
        return socket
    }

    /// One turn of the loop, with whatever is ready.
    func turn() throws {
        var entries = desk.pollEntries
        try System.poll(&entries, milliseconds: 0)
        try desk.handle(System.PollResult(entries))
    }

    static func null() throws -> [SharedDescriptor] {
        try (0..<3).map { _ in SharedDescriptor(try System.open("/dev/null", .readWrite)) }
    }

    /// Says what a stub would, and lets the desk hear it.
    func call(_ words: String..., terminal: TerminalSize? = nil) throws -> SharedDescriptor {
        try call(bytes: CommandRequest(words: words.map { Array($0.utf8) }, terminal: terminal).bytes ?? [])
    }

    func call(bytes: [UInt8], streams: [SharedDescriptor]? = nil) throws -> SharedDescriptor {
        let caller = try connect()
        let given = try streams ?? Self.null()
        try System.send(caller.borrowed, bytes, descriptors: given.map(\.borrowed))
        try turn()
        return caller
    }

    /// nil: nothing yet, or nothing more.
    func answer(_ caller: SharedDescriptor) throws -> CommandAnswer? {
        guard let bytes = try? System.receiveUpToEnd(caller.borrowed, most: CommandAnswer.sizeLimit).bytes else {
            return nil
        }
        return CommandAnswer(bytes: bytes)
    }

    func isClosed(_ caller: SharedDescriptor) throws -> Bool {
        let bytes = try? System.receiveUpToEnd(caller.borrowed, most: CommandAnswer.sizeLimit).bytes
        return bytes?.isEmpty == true
    }

    func reason(_ caller: SharedDescriptor) throws -> String {
        guard case .refused(126, let reason, let remedy)? = try answer(caller) else { return "not refused" }
        return reason + (remedy.map { "; \($0)" } ?? "")
    }

    /// Events since the last time.
    func events() -> [String] {
        desk.takeNotices().compactMap { if case .event(let event) = $0 { event.text() } else { nil } }
    }
}
