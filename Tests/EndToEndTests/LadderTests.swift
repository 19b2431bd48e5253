import Foundation
import Glibc
import Testing

/// A profile of one's own goes up and down the ladder by one rung, and is never left on a rung where it does not hold.
@Suite(.serialized, .needs("node")) struct LadderTests {
    /// A caller with a directory of profiles of its own, which for root is another /etc than the host's.
    private struct Place {
        var jail: Jail
        private let directory: String

        init(_ caller: Caller) throws {
            jail = try Jail(caller)
            if caller == .root {
                let upper = try Scratch.directory("etc", owner: 0)
                for name in ["upper", "work"] { unsafe mkdir("\(upper)/\(name)", 0o755) }
                directory = "\(upper)/upper/clawjail/profiles"
                jail.hostChange = """
                    mount -t overlay overlay -o lowerdir=/etc,upperdir='\(upper)/upper',workdir='\(upper)/work' /etc
                    """
            } else {
                directory = "\(jail.home)/.config/clawjail/profiles"
            }
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }

        func write(_ name: String, _ text: String) throws {
            let file = "\(directory)/\(name).json5"
            try Scratch.write(text, to: file)
            if jail.caller == .user, Host.isRoot {
                let user = try Host.user.get()
                try shell("chown -R \"$2\" \"$1/.config\"", jail.home, "\(user.uid):\(user.gid)")
            }
        }

        func read(_ name: String) throws -> String {
            try String(contentsOfFile: "\(directory)/\(name).json5", encoding: .utf8)
        }

        /// What lies beside the profiles: nothing else may be left.
        var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() } }

        func clawjail(_ words: String...) throws -> Finished {
            let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
            return try jail.start(words: words + user).wait(120)
        }

        /// The records of that profile.
        func history(_ name: String) throws -> [String] {
            try String(contentsOfFile: "\(jail.stateDirectory)/promotions.jsonl", encoding: .utf8).split(
                separator: "\n"
            )
            .map(String.init).filter { $0.contains("\"profile\":\"\(name)\"") }
        }
    }

    /// Nothing is published: other tests have the port.
    private static let research = """
        // Mine; it began on "research".
        { extends: "research", optional: ["groups"], limits: { memory: "600M" } }
        """

    @Test(arguments: Caller.all) func `one rung up, and down again`(caller: Caller) throws {
        let place = try Place(caller)
        let name = place.jail.name
        try place.write(name, Self.research)
        let up = try place.clawjail("promote", name, "stateful", "--reason", "has to remember")
        #expect(up.status == 0, "\(up.text) \(up.errors)")
        #expect(up.text.contains("~ filesystem.data none → 10G at /data"))
        #expect(try place.read(name) == Self.research.replacing("extends: \"research\"", with: "extends: \"stateful\""))
        let down = try place.clawjail("demote", name, "--reason", "was wrong")
        #expect(down.status == 0, "\(down.text) \(down.errors)")
        #expect(try place.read(name) == Self.research)
        #expect(try place.files == ["\(name).json5"])
        let records = try place.history(name)
        #expect(records.count == 2)
        #expect(records[0].contains(#""from":"research","to":"stateful""#) && records[0].contains("has to remember"))
        #expect(records[1].contains(#""from":"stateful","to":"research""#) && records[1].contains("was wrong"))
        let log = AuditLogFiles(jail: place.jail)
        defer { log.remove() }
        let actions = try log.records().filter { $0["event"] as? String == "profile" }.compactMap {
            $0["action"] as? String
        }
        #expect(actions == ["promote", "demote"])
    }

    @Test(arguments: Caller.all) func `what runs with it is stopped on the way down`(caller: Caller) throws {
        let place = try Place(caller)
        let name = place.jail.name
        try place.write(name, "{ extends: 'stateful', optional: ['groups'] }")
        var jail = place.jail
        jail.profile = name
        let running = try jail.startAndAwait(
            "up", command: ["node", "-e", "console.log('up'); setInterval(() => {}, 1e6)"])
        defer { running.signal(SIGKILL) }
        let left = try place.clawjail("demote", name, "--reason", "later", "--keep-running")
        #expect(left.text.contains("runs as before"), "\(left.text) \(left.errors)")
        #expect(running.status == nil)
        let down = try place.clawjail("demote", name, "--reason", "now")
        #expect(down.text.contains("stopped: \(name)"), "\(down.text) \(down.errors)")
        #expect(eventually(10) { running.status != nil })
        #expect(try place.read(name).contains("extends: 'offline'"))
    }

    @Test(arguments: Caller.all) func `a step that is refused changes nothing`(caller: Caller) throws {
        let place = try Place(caller)
        let name = place.jail.name
        try place.write(name, Self.research)
        let steps: [([String], String)] = [
            (["promote", name, "shell", "--reason", "x"], "more than one rung"),
            (["promote", name, "offline", "--reason", "x"], "is below"),
            (["promote", name, "stateful"], "--reason"),
            (["promote", name, "stateful", "--reason", ""], "a reason is one line"),
            (["promote", "research", "stateful", "--reason", "x"], "no profile of your own"),
            (["demote", "offline", "--reason", "x"], "no profile of your own"),
        ]
        for (words, reason) in steps {
            let refused = try place.jail.start(words: words).wait(60)
            #expect(
                refused.status != 0 && refused.errors.contains(reason), "\(words): \(refused.text) \(refused.errors)")
        }
        #expect(try place.read(name) == Self.research)
        #expect(try place.files == ["\(name).json5"])
    }

    @Test(arguments: Caller.all) func `what does not hold is not moved`(caller: Caller) throws {
        let place = try Place(caller)
        let name = place.jail.name
        let text = "{ extends: 'research', optional: ['groups'], process: { programs: ['clawjail-no-such-program'] } }"
        try place.write(name, text)
        let refused = try place.clawjail("promote", name, "stateful", "--reason", "x")
        #expect(refused.status != 0 && refused.errors.contains("does not hold"), "\(refused.text) \(refused.errors)")
        #expect(try place.read(name) == text)
        #expect(try place.files == ["\(name).json5"])
    }
}
