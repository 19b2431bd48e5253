import Foundation
import Glibc
import Testing

/// Who starts clawjail.
enum Caller: String, CaseIterable, Sendable, CustomTestStringConvertible {
    /// Root, with `--user`.
    case root
    /// An ordinary user, without any capability, in control groups of its own.
    case user

    /// Those that this machine can play, or is to play (CLAWJAIL_TEST_CALLER). Without root there is only the user.
    static let all: [Caller] = {
        let wanted = ProcessInfo.processInfo.environment["CLAWJAIL_TEST_CALLER"].flatMap(Caller.init)
        return Host.isRoot ? wanted.map { [$0] } ?? allCases : [.user]
    }()

    var testDescription: String { self == .root ? "started by root" : "started by an ordinary user" }
}

/// One jail of a name of its own, to be started by one of the callers.
struct Jail {
    let caller: Caller
    let name = Scratch.unique("e2e")
    /// The caller's HOME and XDG directories.
    var home: String
    var profile: String
    /// Commands of a shell between the caller's state and clawjail; `exec "$@"` at the end is added.
    var before = ""
    var environment: [String: String] = [:]
    /// Everything before clawjail's own words, such as `nice`. Runs as the caller.
    var wrapper: [String] = []
    /// A script of root's around all that, in a mount namespace of its own, such as `umount -l /proc`.
    var hostChange = ""
    var standardInput = "/dev/null"
    /// A terminal in the place of standard input, output and error.
    var terminal: String?

    /// - Parameter profile: the text of a profile; PROBE stands for the path of jailprobe.
    init(_ caller: Caller, _ profile: String = Profiles.session) throws {
        self.caller = caller
        home = try Scratch.directory("home", mode: 0o700)
        let file = try Scratch.directory("profiles") + "/test.json5"
        try Scratch.write(profile.replacingOccurrences(of: "PROBE", with: Host.probe), to: file)
        // Root's, or the ordinary user's own: one that is another's is refused.
        if caller == .user, Host.isRoot { unsafe chown(file, try Host.user.get().uid, try Host.user.get().gid) }
        self.profile = file
    }

    var runtimeDirectory: String { caller == .root ? "/run/clawjail" : "\(home)/clawjail" }
    var stateDirectory: String { caller == .root ? "/var/lib/clawjail" : "\(home)/clawjail" }
    private var fullEnvironment: [String: String] {
        var all = Host.environment
        all["HOME"] = home
        if caller == .user {
            all["XDG_RUNTIME_DIR"] = home
            all["XDG_STATE_HOME"] = home
        }
        for (name, value) in environment { all[name] = value }
        return all
    }

    // MARK: Starting

    /// `clawjail WORDS`, as the caller.
    func start(words: [String]) throws -> Running {
        let place = isDelegated ? try Delegation.place : Delegation.Place()
        let inner =
            wrapper + ["/bin/sh", "-c", place.innerJoin + before + "\nexec \"$@\"", "sh", try Host.clawjail] + words
        var command = try asCaller(inner, place)
        if !hostChange.isEmpty {
            let script = "mount --make-rprivate / && " + hostChange + " || exit 98\nexec \"$@\""
            command = ["unshare", "-m", "/bin/sh", "-c", script, "sh"] + command
        }
        return try Running(command, environment: fullEnvironment, standardInput: standardInput, terminal: terminal)
    }

    func start(_ options: [String] = [], command: [String]) throws -> Running {
        let user = caller == .root ? ["--user", try Host.user.get().name] : []
        return try start(words: ["run", "--profile", profile, "--name", name] + user + options + ["--"] + command)
    }

    func run(_ options: [String] = [], command: [String], seconds: Double = 20) throws -> Finished {
        try start(options, command: command).wait(seconds)
    }

    func run(_ command: String...) throws -> Finished { try run(command: command) }

    /// A shell script inside.
    func script(_ text: String, _ options: [String] = [], seconds: Double = 20) throws -> Finished {
        try run(options, command: ["/bin/sh", "-c", text], seconds: seconds)
    }

    /// Starts, and waits until the command inside has said `word` on a line of its own.
    func startAndAwait(_ word: String, _ options: [String] = [], command: [String]) throws -> Running {
        let running = try start(options, command: command)
        guard eventually(10, { running.text.contains(word + "\n") || running.status != nil }), running.status == nil
        else {
            running.signal(SIGKILL)
            throw HarnessError(
                "it never said '\(word)' (status \(running.status ?? -1)): \(running.text) \(running.errorText)")
        }
        return running
    }

    private func asCaller(_ command: [String], _ place: Delegation.Place) throws -> [String] {
        guard Host.isRoot else { return command }
        guard caller == .user else {
            return place.isForRoot ? ["/bin/sh", "-c", place.join + "exec \"$@\"", "sh"] + command : command
        }
        let user = try Host.user.get()
        let drop =
            "exec setpriv --reuid=\(user.uid) --regid=\(user.gid) \(groups) --inh-caps=-all --ambient-caps=-all -- \"$@\""
        return ["/bin/sh", "-c", place.join + drop, "sh"] + command
    }

    /// Started in control groups that the user may make groups in.
    var isDelegated = true
    /// Options of setpriv(1) for the supplementary groups.
    var groups = "--clear-groups"

    // MARK: Afterwards

    /// Nothing of this jail is left on the host.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(
            !FileManager.default.fileExists(atPath: "\(runtimeDirectory)/\(name)"), "the run directory",
            sourceLocation: sourceLocation)
        #expect(try cgroups.isEmpty, "control groups", sourceLocation: sourceLocation)
    }

    var isGone: Bool {
        get throws {
            try cgroups.isEmpty && !FileManager.default.fileExists(atPath: "\(runtimeDirectory)/\(name)")
        }
    }

    /// Control groups of this jail.
    var cgroups: [String] {
        get throws {
            try shell("find /sys/fs/cgroup -type d -name \"clawjail-$1\" 2>/dev/null; true", name).lines
        }
    }
}

/// Texts of profiles.
enum Profiles {
    /// A shell with the host's programs.
    static let session = "{ extends: 'session', process: { programs: ['PROBE'] } }".json
    /// The strict list of system calls.
    static let offline = "{ extends: 'offline', process: { programs: ['PROBE'] } }".json
    static let research = "{ extends: 'research', process: { programs: ['PROBE'] }, network: { publish: [] } }".json

    /// `session` with more keys.
    static func session(_ more: String) -> String {
        "{ extends: 'session', \(more) }".json
    }
}

extension String {
    /// Single quotes read better in Swift.
    var json: String { replacingOccurrences(of: "'", with: "\"") }
}

extension Finished {
    /// One line on standard error, from clawjail, and this status.
    func expectRefusal(_ status: Int32, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self.status == status, "\(errors)", sourceLocation: sourceLocation)
        #expect(errorLines.count == 1, "\(errors)", sourceLocation: sourceLocation)
        #expect(errors.hasPrefix("clawjail: "), "\(errors)", sourceLocation: sourceLocation)
        for part in parts { #expect(errors.contains(part), sourceLocation: sourceLocation) }
        #expect(output.isEmpty, sourceLocation: sourceLocation)
    }
}
