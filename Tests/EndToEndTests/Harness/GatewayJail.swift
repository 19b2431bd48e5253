import Foundation
import Glibc
import Testing

/// A jail that may ask for sessions, with a shell and Python inside, and what an operator sees of it.
struct GatewayJail {
    var jail: Jail

    /// - Parameters:
    ///   - most: `sessions.most`.
    ///   - files: more keys of `filesystem`.
    ///   - more: more keys of the profile.
    init(_ caller: Caller, workspaces: [String] = ["/data/boxes"], most: Int = 4, files: String = "", more: String = "")
        throws
    {
        let list = workspaces.map { "'\($0)'" }.joined(separator: ", ")
        jail = try Jail(
            caller,
            """
            { extends: 'offline',
              process: { programs: ['/usr/bin/', 'PROBE'], shell: true },
              filesystem: { data: { size: '100M' }, \(files) },
              \(more)
              sessions: { profile: 'session', workspaces: [\(list)], most: \(most) } }
            """.json)
    }

    /// The jail's own `/data`, which outlives it.
    var data: String { "\(jail.stateDirectory)/data/\(jail.name)" }

    func clear() {
        try? FileManager.default.removeItem(atPath: data)
        for suffix in [".log", ".log.1"] { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name)\(suffix)") }
    }

    /// Runs a script of a shell in the jail.
    func script(_ text: String, _ options: [String] = [], seconds: Double = 60) throws -> Finished {
        try jail.script("mkdir -p /data/boxes/a /data/boxes/b /data/boxes/c\n" + text, options, seconds: seconds)
    }

    /// Runs Python in the jail, with `ask(bytes, descriptors)` and `request(verb, **fields)` to speak to the socket.
    func python(_ text: String, _ options: [String] = [], seconds: Double = 60) throws -> Finished {
        let file = Scratch.file("program") + ".py"
        try Scratch.write(Self.client + text, to: file)
        return try script("exec python3 -B /program.py", options + ["--read", "\(file):/program.py"], seconds: seconds)
    }

    private static let client = """
        import array, os, socket, sys, time
        PATH = '/run/clawjail/sessions.sock'
        def connect():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(PATH)
            s.settimeout(30)
            return s
        def ask(data, descriptors=[]):
            s = connect()
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', descriptors))] if descriptors else []
            s.sendmsg([data], rights)
            answer, ancillary, _, _ = s.recvmsg(1 << 17, 4096)
            parts = answer.split(b'\\0')
            return parts[0].decode() or 'closed', parts[1:], ancillary
        def packet(verb, fields):
            return b''.join(p.encode() + b'\\0' for p in [verb] + [k + '=' + v for k, v in fields])
        def request(verb, **fields):
            return ask(packet(verb, [(k, v) for k, v in fields.items()]))
        def create(id, path, **more):
            return request('create', id=id, workspace=path + ':/workspace', **more)
        def say(name, result):
            print(name + ': ' + result[0], flush=True)

        """

    /// Starts it in the background; it waits there until it is stopped.
    func detach(_ script: String) throws {
        let text = "mkdir -p /data/boxes/a /data/boxes/b /data/boxes/c\n\(script)\necho ready\nexec sleep 300"
        let finished = try jail.run(["--detach"], command: ["/bin/sh", "-c", text], seconds: 60)
        try #require(finished.status == 0, "\(finished.errors)")
        let log = "\(jail.stateDirectory)/logs/\(jail.name).log"
        let said = { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        try #require(eventually(60) { said().contains("ready\n") }, "\(said())")
    }

    /// `clawjail WORDS` outside.
    func operate(_ words: String...) throws -> Finished { try jail.start(words: words).wait(30) }

    /// The supervisor of this jail, or (with an id) of one of its sessions.
    func supervisor(of id: String? = nil) throws -> Int32 {
        let name = id.map { "\(jail.name)/\($0)" } ?? jail.name
        let rows = try operate("ps").lines.map { $0.split(separator: " ") }
        let row = rows.first { $0.first == Substring(name) }
        guard let row, let pid = Int32(row[2]) else { throw HarnessError("no row of \(name)") }
        return pid
    }

    func maker() throws -> Int32 {
        let maker = Tree.children(of: try supervisor()).first {
            (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "session-maker\n"
        }
        guard let maker else { throw HarnessError("no maker of sessions") }
        return maker
    }

    /// No process, directory or control group of the jail or of a session of its.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let directory = "\(jail.runtimeDirectory)/\(jail.name)"
        #expect(
            eventually(15) { !FileManager.default.fileExists(atPath: directory) }, "the run directory",
            sourceLocation: sourceLocation)
        #expect(try groups.isEmpty, "control groups", sourceLocation: sourceLocation)
    }

    var groups: [String] {
        get throws {
            try shell("find /sys/fs/cgroup -type d -name \"clawjail-$1*\" 2>/dev/null; true", jail.name).lines
        }
    }
}
