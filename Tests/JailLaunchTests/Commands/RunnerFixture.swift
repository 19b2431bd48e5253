import Foundation
import JailCore
import JailPolicy

@testable import JailCommands
@testable import JailLaunch
@testable import JailPlan

/// A runner as a supervisor has it, and callers as a desk has them. For exit tests: it forks.
final class RunnerFixture {
    struct Outcome {
        var report: CommandReport?
        var output = ""
        var errors = ""
    }

    private final class Caller {
        var outcome = Outcome()
        var ends: [SharedDescriptor?]
        /// What of standard input is still open.
        var input: SharedDescriptor?
        init(ends: [SharedDescriptor?], input: SharedDescriptor?) { (self.ends, self.input) = (ends, input) }
    }

    let runner: CommandRunnerProcess
    let plan: CommandsPlan
    private var callers: [UInt32: Caller] = [:]
    private var last: UInt32 = 0

    init(_ rules: [CommandRule] = [shell()], places: [CommandsPlan.Place]? = nil) throws {
        var list = CommandRules()
        list.rules = rules
        plan = CommandsPlan(rules: list, places: places ?? rules.map { .host(Self.host($0.program)) })
        runner = try CommandRunnerProcess(.bare { $0.identity.startedByRoot = System.effectiveUserID == 0 }, plan)
        try runner.awaitReady()
    }

    /// `dash -c SCRIPT WORD…`, with any script.
    static func shell(_ change: (inout CommandRule) -> Void = { _ in }) -> CommandRule {
        var rule = CommandRule(name: "dash", program: "/usr/bin/dash")
        var flag = CommandFlag(["-c"])
        flag.value = (try? CommandPattern.parse(".+")).map { .pattern($0) }
        rule.flags = [flag]
        rule.arguments =
            (try? CommandPattern.parse(".+")).map { [CommandArgument(.pattern($0), least: 0, most: 8)] } ?? []
        rule.timeout = 60_000
        change(&rule)
        return rule
    }

    /// Root becomes nobody; everybody else stays who they are.
    static var user: HostUser {
        let uid = System.effectiveUserID
        return uid == 0
            ? HostUser(
                identity: HostIdentity(name: "nobody", uid: 65534, gid: 65534),
                groups: [.init(name: "extra", gid: 61_234)], home: "/nonexistent")
            : HostUser(
                identity: HostIdentity(name: "me", uid: uid, gid: System.effectiveGroupID), groups: [], home: "/")
    }

    static func host(_ program: String, in directory: String = "/") -> CommandsPlan.HostPlace {
        CommandsPlan.HostPlace(
            user: user, program: program, directory: directory, isOther: System.effectiveUserID == 0)
    }

    /// What the desk's decision would be, or one that it would never make.
    func grant(_ words: [String], index: Int = 0) -> CommandGrant {
        CommandGrant(rule: plan.rules.rules[index], index: index, arguments: words)
    }

    /// - Parameter input: what is on standard input, which ends then; nil: it stays open.
    func start(
        _ words: [String], rule index: Int = 0, input: String? = "", terminal: CommandCall.Size? = nil,
        reads: Bool = true
    ) throws -> UInt32? {
        let pipes = try (0..<3).map { _ in
            let (reading, writing) = try System.pipe().release()
            return (SharedDescriptor(OwnedDescriptor(reading)), SharedDescriptor(OwnedDescriptor(writing)))
        }
        last += 1
        var call = CommandCall(grant: grant(words, index: index))
        call.terminal = terminal
        let isTaken = try runner.start(call, streams: [pipes[0].0, pipes[1].1, pipes[2].1], number: last)
        if let input { try System.writeAll(pipes[0].1.borrowed, input) }
        guard isTaken else { return nil }
        for pipe in pipes[1...] { try System.setNonBlocking(pipe.0.borrowed) }
        callers[last] = Caller(
            ends: pipes[1...].map { reads ? $0.0 : nil }, input: input == nil ? pipes[0].1 : nil)
        if !reads { kept += pipes[1...].map(\.0) }
        return last
    }
    private var kept: [SharedDescriptor] = []

    func type(_ text: String, to number: UInt32) throws {
        if let input = callers[number]?.input { try System.writeAll(input.borrowed, text) }
    }

    func output(of number: UInt32) -> String { callers[number]?.outcome.output ?? "" }

    /// Turns the loop until something is so, or a minute has passed.
    @discardableResult
    func pump(until isSo: () -> Bool) throws -> Bool {
        let end = System.monotonicNanoseconds() + 60_000_000_000
        while !isSo() {
            guard System.monotonicNanoseconds() < end else { return false }
            var entries = runner.pollEntries
            for caller in callers.values {
                entries += caller.ends.compactMap { $0 }.map { .init($0.borrowed, System.PollEvents.readable) }
            }
            try System.poll(&entries, milliseconds: 100)
            try runner.handle(System.PollResult(entries))
            for report in runner.takeReports() { callers[report.number]?.outcome.report = report }
            for caller in callers.values { read(caller) }
        }
        return true
    }

    private func read(_ caller: Caller) {
        for index in caller.ends.indices {
            guard let end = caller.ends[index], let bytes = try? System.read(end.borrowed, most: 1 << 16) else {
                continue
            }
            if bytes.isEmpty { caller.ends[index] = nil }
            let text = String(decoding: bytes, as: UTF8.self)
            if index == 0 { caller.outcome.output += text } else { caller.outcome.errors += text }
        }
    }

    /// To its end, and to that of what it says.
    func finish(_ number: UInt32?) throws -> Outcome {
        guard let number, let caller = callers[number] else { return Outcome() }
        try pump { caller.outcome.report != nil && caller.ends.allSatisfy { $0 == nil } }
        return caller.outcome
    }

    func run(
        _ words: [String], rule index: Int = 0, input: String? = "", terminal: CommandCall.Size? = nil
    ) throws -> Outcome {
        try finish(try start(words, rule: index, input: input, terminal: terminal))
    }

    /// No process has this text among its words, whatever became of its parents.
    static func isNobodyLeft(with text: String) -> Bool {
        guard let proc = try? System.open("/proc", [.readOnly, .directory]),
            let names = try? System.names(in: proc.borrowed)
        else { return false }
        return !names.contains { entry in
            guard Int32(entry.name) != nil, Int32(entry.name) != System.processID,
                let line = try? System.readFile("\(entry.name)/cmdline", at: proc.borrowed)
            else { return false }
            return String(decoding: line, as: UTF8.self).contains(text)
        }
    }

    /// A text that no other process has among its words.
    static func mark() throws -> String {
        "mark-" + (try System.randomBytes(8)).map { String($0, radix: 16) }.joined()
    }
}

extension CommandReport {
    var status: Int32 {
        switch self {
        case .ended(_, let status, _), .failed(_, let status, _): status
        }
    }

    var text: String {
        switch self {
        case .ended(_, _, let note): note ?? ""
        case .failed(_, _, let reason): reason
        }
    }

    var hasBegun: Bool { if case .ended = self { true } else { false } }
}
