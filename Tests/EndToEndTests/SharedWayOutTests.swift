import Foundation
import Glibc
import Testing

/// Jails of one group have one process for their ways out, and nothing else of one another.
@Suite(.needs("curl")) struct SharedWayOutTests {
    /// Two jails of a group, each with an origin of its own that its rules allow.
    struct Pair {
        let group = Scratch.unique("group")
        let origins: [Origin]
        var jails: [Jail]
        let workspaces: [String]

        init(_ caller: Caller, _ onExit: [String] = ["restart", "restart"]) throws {
            origins = try ["first", "second"].map { try Origin($0) }
            jails = try zip(origins, onExit).map { try Jail(caller, profile($0.port, $1)) }
            // Where groups are found.
            jails[1].home = jails[0].home
            workspaces = try (0..<2).map { _ in try Scratch.directory("workspace", mode: 0o700) }
        }

        /// Runs the script, which may `ask PORT`, with $1 its own origin's port and $2 the other one's.
        func start(_ index: Int, _ script: String, _ options: [String] = []) throws -> Running {
            let ask = """
                ask() { curl -s -m 5 -o /workspace/answer -w '%{http_code} ' --noproxy '' http://127.0.0.1:$1/; \
                echo "curl $?"; }
                await() { while [ ! -e "/workspace/$1" ]; do sleep 0.05; done; }

                """
            let words = ["/bin/sh", "-c", ask + script, "sh", "\(origins[index].port)", "\(origins[1 - index].port)"]
            return try jails[index].startAndAwait(
                "up", ["--egress-group", group, "--workspace", workspaces[index]] + options, command: words)
        }

        func go(_ index: Int, _ word: String = "go") throws {
            try Scratch.write("", to: "\(workspaces[index])/\(word)")
        }

        var directory: String { "\(jails[0].runtimeDirectory)/.egress/\(group)" }

        var keepers: [Int32] { SharedWayOutTests.keepers(group) }

        /// The one gateway below the one keeper.
        func gateway() throws -> Int32 {
            guard let keeper = keepers.first else { throw HarnessError("there is no keeper of \(group)") }
            return try WayOutTests.processes(of: keeper).gateway
        }

        /// Waits until nothing is left of the group.
        func expectNothingLeft(_ running: [Running]) throws {
            for one in running {
                one.signal(SIGTERM)
                try one.wait()
            }
            for jail in jails { try jail.expectNothingLeft() }
            #expect(eventually(10) { keepers.isEmpty && !FileManager.default.fileExists(atPath: directory) })
        }
    }

    static func profile(_ port: UInt16, _ onExit: String, _ more: String = "") -> String {
        Profiles.session(
            """
            network: { allow: [{ hosts: ['127.0.0.1'], ports: [\(port)], methods: ['GET'] }\(more)],
              allowPrivate: ['127.0.0.1/32'], onGatewayExit: '\(onExit)' }
            """)
    }

    static func keepers(_ group: String) -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == "egress-keeper\n"
                && (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8))?.contains(group) == true
        }
    }

    /// Goes on until it is told to stop.
    static let waiting = "echo up; while :; do sleep 0.1; done"

    @Test(arguments: Caller.all) func `each has its rules in one process, and its events for itself`(
        caller: Caller
    ) throws {
        var pair = try Pair(caller)
        let script = "echo up; await go; ask $1; cat /workspace/answer; echo; ask $2; echo done; await end"
        var logs: [String] = []
        for index in 0..<2 {
            logs.append(try Scratch.directory("log", mode: 0o777) + "/events")
            pair.jails[index].before = "exec 9>'\(logs[index])'"
        }
        let running = try (0..<2).map { try pair.start($0, script, ["--status-fd", "9"]) }
        #expect(pair.keepers.count == 1)
        let first = try pair.gateway()
        for index in 0..<2 { try pair.go(index) }
        for (index, name) in ["first", "second"].enumerated() {
            #expect(eventually { running[index].text.contains("done\n") })
            #expect(running[index].text == "up\n200 curl 0\n\(name)\n403 curl 0\ndone\n")
            var events: [Substring] = []
            _ = try eventually {
                events = try String(contentsOfFile: logs[index], encoding: .utf8).split(separator: "\n")
                return events.count { $0.contains("\"event\":\"network\"") } >= 2
            }
            #expect(events.first?.contains("\"name\":\"\(pair.jails[index].name)\"") == true)
            let network = events.filter { $0.contains("\"event\":\"network\"") }
            let ports = pair.origins.map { "\"port\":\($0.port)" }
            #expect(network.count == 2, "\(events)")
            #expect(network.first { $0.contains("\"allowed\"") }?.contains(ports[index]) == true)
            #expect(network.first { $0.contains("\"denied\"") }?.contains(ports[1 - index]) == true)
        }
        #expect(try pair.gateway() == first)
        for index in 0..<2 { try pair.go(index, "end") }
        try pair.expectNothingLeft(running)
    }

    @Test(arguments: Caller.all) func `one that starts it and one that does not are alike in ending`(
        caller: Caller
    ) throws {
        let pair = try Pair(caller)
        let script = "echo up; await go; ask $1; echo done; await end"
        for gone in 0..<2 {
            let running = try (0..<2).map { try pair.start($0, script) }
            let gateway = try pair.gateway()
            let left = 1 - gone
            running[gone].signal(SIGKILL)
            try running[gone].wait()
            moment(0.2)
            try pair.go(left)
            #expect(eventually { running[left].text.contains("done\n") })
            #expect(running[left].text == "up\n200 curl 0\ndone\n", "\(running[left].errorText)")
            #expect(running[left].errorText.isEmpty)
            #expect(try pair.gateway() == gateway)
            running[left].signal(SIGTERM)
            try running[left].wait()
            for index in 0..<2 { try? FileManager.default.removeItem(atPath: "\(pair.workspaces[index])/go") }
        }
        // What the killed ones left the next start removes.
        let last = try pair.start(0, Self.waiting)
        try pair.expectNothingLeft([last])
    }

    @Test(arguments: Caller.all) func `a port that one has is none of the other's`(caller: Caller) throws {
        let pair = try Pair(caller)
        // The other's port is refused by the kernel: nobody listens there in this namespace. The own one is taken.
        let script = """
            echo up; await go
            curl -s -m 5 -o /dev/null --noproxy '*' http://192.0.2.1:$2/; echo "other $?"
            curl -s -m 5 -o /dev/null --noproxy '*' http://192.0.2.1:$1/; echo "own $?"; await end
            """
        let running = try (0..<2).map { try pair.start($0, script) }
        for index in 0..<2 {
            try pair.go(index)
            #expect(eventually { running[index].text.contains("own") })
            #expect(running[index].text.contains("other 7\n"), "\(running[index].text)")
            let denied = { (port: UInt16) in "denied 192.0.2.1:\(port)" }
            #expect(eventually { running[index].errorText.contains(denied(pair.origins[index].port)) })
            #expect(!running[index].errorText.contains(denied(pair.origins[1 - index].port)))
        }
        try pair.expectNothingLeft(running)
    }

    @Test(arguments: Caller.all) func `killed, it comes back for both, each the same as before`(caller: Caller) throws {
        let pair = try Pair(caller)
        let script = """
            sum=$(cksum </etc/ssl/certs/clawjail-ca.pem); ask $1; echo up; await go; ask $1; ask $2
            [ "$sum" = "$(cksum </etc/ssl/certs/clawjail-ca.pem)" ] && echo same
            curl -s -m 5 -o /dev/null --noproxy '' -w '%{http_code}\\n' -X POST https://127.0.0.1:$1/; echo done; await end
            """
        let running = try (0..<2).map { try pair.start($0, script) }
        let first = try pair.gateway()
        kill(first, SIGKILL)
        #expect(eventually { (try? pair.gateway()) ?? first != first })
        for index in 0..<2 {
            #expect(eventually { running[index].errorText.contains("ended by signal 9; it is started again") })
            try pair.go(index)
            #expect(eventually(20) { running[index].text.contains("done\n") })
            // Inside TLS: the certificate is one that was trusted before.
            #expect(
                running[index].text == "200 curl 0\nup\n200 curl 0\n403 curl 0\nsame\n403\ndone\n",
                "\(running[index].errorText)")
        }
        #expect(pair.keepers.count == 1)
        try pair.expectNothingLeft(running)
    }

    @Test(arguments: Caller.all) func `killed again and again, it stays away for both`(caller: Caller) throws {
        let pair = try Pair(caller)
        let running = try (0..<2).map { try pair.start($0, Self.waiting) }
        var killed: Set<Int32> = []
        let isGone = eventually(20) {
            if let gateway = try? pair.gateway(), !killed.contains(gateway) {
                killed.insert(gateway)
                kill(gateway, SIGKILL)
            }
            return running.allSatisfy { $0.errorText.contains("goes on without a network") }
        }
        #expect(isGone && killed.count == 6, "\(killed.count): \(running[0].errorText)")
        // It gives its place up: the next jail of the group gets a new one.
        #expect(eventually { pair.keepers.isEmpty })
        try pair.expectNothingLeft(running)
    }

    @Test(arguments: Caller.all) func `killed, each does as its own profile says`(caller: Caller) throws {
        for (onExit, index) in [(["block", "restart"], 0), (["stop", "restart"], 0), (["restart", "stop"], 1)] {
            let pair = try Pair(caller, onExit)
            let running = try (0..<2).map { try pair.start($0, "echo up; await go; ask $1; echo done; await end") }
            kill(try pair.gateway(), SIGKILL)
            let other = 1 - index
            if onExit[index] == "stop" {
                let finished = try running[index].wait()
                #expect(finished.status == 143)
                #expect(finished.errors.contains("network.onGatewayExit"))
            } else {
                #expect(eventually { running[index].errorText.contains("goes on without a network") })
                try pair.go(index)
                #expect(eventually { running[index].text.contains("done\n") })
                #expect(running[index].text == "up\n000 curl 7\ndone\n")
            }
            #expect(
                eventually { running[other].errorText.contains("it is started again") },
                "\(onExit): \(running[other].errorText)")
            try pair.go(other)
            #expect(eventually { running[other].text.contains("done\n") })
            #expect(running[other].text == "up\n200 curl 0\ndone\n")
            try pair.expectNothingLeft(running)
        }
    }

    @Test(arguments: Caller.all)
    func `its keeper killed, both have no network and say so, and the next start makes another`(
        caller: Caller
    ) throws {
        let pair = try Pair(caller)
        let script = "echo up; await go; ask $1; echo done; await end"
        let running = try (0..<2).map { try pair.start($0, script) }
        let keeper = try #require(pair.keepers.first)
        let processes = try WayOutTests.processes(of: keeper)
        kill(keeper, SIGKILL)
        // As PID 1 it ends after all threads of the other.
        #expect(eventually { !Tree.isAlive(processes.gateway) && !Tree.isAlive(processes.egressInit) })
        for index in 0..<2 {
            let text = "clawjail-egress ended with its keeper; the jail goes on without a network"
            #expect(eventually { running[index].errorText.contains(text) }, "\(running[index].errorText)")
            try pair.go(index)
            #expect(eventually { running[index].text.contains("done\n") })
            #expect(running[index].text == "up\n000 curl 7\ndone\n")
            running[index].signal(SIGTERM)
            try running[index].wait()
        }
        #expect(FileManager.default.fileExists(atPath: pair.directory))
        let next = try pair.start(0, script)
        #expect(eventually { next.text == "up\n200 curl 0\ndone\n" }, "\(next.text)")
        try pair.expectNothingLeft([next])
    }

    @Test(arguments: Caller.all) func `its init killed, both say so, and its keeper makes room`(caller: Caller) throws {
        let pair = try Pair(caller)
        let running = try (0..<2).map { try pair.start($0, Self.waiting) }
        kill(try WayOutTests.processes(of: #require(pair.keepers.first)).egressInit, SIGKILL)
        for one in running {
            #expect(eventually { one.errorText.contains("ended with its init; the jail goes on without a network") })
        }
        try pair.expectNothingLeft(running)
    }

    @Test(.needsRoot, arguments: Caller.all) func `its keeper has no right, no file and no company`(
        caller: Caller
    ) throws {
        let pair = try Pair(caller)
        let running = try pair.start(0, Self.waiting)
        let keeper = try #require(pair.keepers.first)
        let status = try String(contentsOfFile: "/proc/\(keeper)/status", encoding: .utf8)
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(status.contains("\(set):\t0000000000000000")) }
        #expect(status.contains("NoNewPrivs:\t1") && status.contains("Threads:\t1\n"))
        #expect(try FileManager.default.attributesOfItem(atPath: "/proc/\(keeper)/maps")[.ownerAccountID] as? Int == 0)
        #expect(getsid(keeper) != getsid(running.pid))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper)/cwd") == "/")
        for number in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(keeper)/fd") {
            let file = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper)/fd/\(number)")
            #expect(
                ["0", "1", "2"].contains(number)
                    ? file == "/dev/null"
                    : file.hasPrefix("socket:") || file.hasPrefix("pipe:") || file.hasPrefix("anon_inode:")
                        || file == "\(pair.directory)/lock", "\(number): \(file)")
        }
        try pair.expectNothingLeft([running])
    }

    @Test(.needsRoot) func `another user's process is none of them`() throws {
        let pair = try Pair(.user)
        let running = try pair.start(0, Self.waiting)
        // Root may reach the socket, and is sent away all the same.
        let own = try Connection("\(pair.directory)/keeper.sock")
        #expect(own.ends)
        try pair.expectNothingLeft([running])
    }

    @Test(.needsRoot) func `one jail too many is refused, and the others are none the wiser`() throws {
        let pair = try Pair(.root)
        let running = try pair.start(0, "echo up; await go; ask $1; echo done; await end")
        let others = try (0..<63).map { _ in try Connection("\(pair.directory)/keeper.sock") }
        let refused = try pair.jails[1].run(["--egress-group", pair.group], command: ["/bin/true"])
        #expect(refused.status == 125 && refused.errors.contains("64 share it already"), "\(refused.errors)")
        try pair.go(0)
        #expect(eventually { running.text == "up\n200 curl 0\ndone\n" })
        #expect(others.allSatisfy { !$0.hasEnded })
        for other in others { other.end() }
        try pair.expectNothingLeft([running])
    }

    @Test(.needsRoot) func `who talks nonsense to the keeper is let go, and who distrusts the gateway ends it for all`()
        throws
    {
        let pair = try Pair(.root)
        let script = "echo up; await go; ask $1; echo done; await end; ask $1; echo over; await never"
        let running = try (0..<2).map { try pair.start($0, script) }
        for bytes: [UInt8] in [[9], [1], [0x41], [2, 2], [UInt8](repeating: 1, count: 5000)] {
            let caller = try Connection("\(pair.directory)/keeper.sock")
            caller.say(bytes)
            #expect(caller.ends, "\(bytes.prefix(2))")
        }
        for index in 0..<2 {
            try pair.go(index)
            #expect(eventually { running[index].text == "up\n200 curl 0\ndone\n" }, "\(running[index].errorText)")
        }
        let gateway = try pair.gateway()
        let caller = try Connection("\(pair.directory)/keeper.sock")
        caller.say([2])
        #expect(eventually { !Tree.isAlive(gateway) && pair.keepers.isEmpty })
        for index in 0..<2 {
            let text = "by clawjail: it said what it never would; the jail goes on without a network"
            #expect(eventually { running[index].errorText.contains(text) }, "\(running[index].errorText)")
            try pair.go(index, "end")
            #expect(eventually { running[index].text.hasSuffix("000 curl 7\nover\n") })
        }
        try pair.expectNothingLeft(running)
    }

    @Test(arguments: Caller.all) func `many that start at once find one`(caller: Caller) throws {
        let pair = try Pair(caller)
        let running = try (0..<6).map { _ in
            var jail = try Jail(caller, Self.profile(pair.origins[0].port, "restart"))
            jail.home = pair.jails[0].home
            return try jail.start(["--egress-group", pair.group], command: ["/bin/sh", "-c", Self.waiting])
        }
        for one in running { #expect(eventually(20) { one.text == "up\n" }, "\(one.errorText)") }
        #expect(pair.keepers.count == 1)
        try pair.expectNothingLeft(running)
    }

    @Test func `another program than the group's is refused`() throws {
        let caller = Caller.all[0]
        let pair = try Pair(caller)
        let running = try pair.start(0, Self.waiting)
        let bin = try Scratch.directory("bin")
        for (name, path) in [
            ("clawjail", try Host.clawjail), ("clawjail-egress", try Host.installation.get() + "/bin/clawjail-egress"),
        ] {
            try FileManager.default.copyItem(atPath: path, toPath: "\(bin)/\(name)")
        }
        var other = pair.jails[1]
        other.before = "shift; set -- \(bin)/clawjail \"$@\""
        let refused = try other.run(["--egress-group", pair.group], command: ["/bin/true"])
        #expect(refused.status == 125 && refused.errors.contains("another program"), "\(refused.errors)")
        #expect(running.errorText.isEmpty)
        try pair.expectNothingLeft([running])
    }

    @Test func `a keeper without the program ends the launch, and is gone`() throws {
        let bin = try Scratch.directory("bin")
        try FileManager.default.copyItem(atPath: Host.clawjail, toPath: bin + "/clawjail")
        // A program that is no gateway.
        try FileManager.default.copyItem(atPath: Host.probe, toPath: bin + "/clawjail-egress")
        var jail = try Jail(Caller.all[0], Self.profile(1, "restart"))
        jail.before = "shift; set -- \(bin)/clawjail \"$@\""
        let group = Scratch.unique("group")
        let finished = try jail.run(["--egress-group", group], command: ["/bin/echo", "ran"])
        #expect(finished.status == 125 && finished.text.isEmpty)
        #expect(finished.errors.contains("clawjail: egress: "), "\(finished.errors)")
        #expect(eventually { Self.keepers(group).isEmpty })
        try jail.expectNothingLeft()
    }
}

/// A connection to a keeper that says nothing.
private final class Connection {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | 0o2000000, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw HarnessError("connect \(path): errno \(errno)") }
    }

    func say(_ bytes: [UInt8]) { _ = unsafe send(descriptor, bytes, bytes.count, 0x4000 /* MSG_NOSIGNAL */) }

    /// Waits for that.
    var ends: Bool { eventually { hasEnded } }

    var hasEnded: Bool {
        var byte: UInt8 = 0
        // Whatever it says before does not matter.
        while true {
            let count = unsafe recv(descriptor, &byte, 1, 0x40 /* MSG_DONTWAIT */)
            if count <= 0 { return count == 0 || errno == ECONNRESET }
        }
    }

    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }
}
