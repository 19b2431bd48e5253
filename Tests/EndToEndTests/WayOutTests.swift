import Foundation
import Glibc
import Testing

/// The process of the way out: how it is confined, and what becomes of a jail that loses it. What it lets pass is
/// checked elsewhere, against origins.
@Suite(.needs("curl")) struct WayOutTests {
    static func profile(_ onExit: String = "restart") -> String {
        Profiles.session("network: { allow: [{ hosts: ['example.org'] }], onGatewayExit: '\(onExit)' }")
    }
    /// Asks for something that is denied, until it has been answered so, and says what came.
    static let asking = """
        ask() { curl -s -o /dev/null -m 5 -w '%{http_code}\\n' -X POST http://example.org/; }
        ask; echo up; while :; do sleep 0.1; done
        """

    struct Processes {
        var egressInit: Int32
        var gateway: Int32
    }

    static func processes(of supervisor: Int32) throws -> Processes {
        for child in Tree.children(of: supervisor) where name(child) == "egress-init" {
            if let gateway = Tree.children(of: child).first, name(gateway) == "clawjail-egress" {
                return Processes(egressInit: child, gateway: gateway)
            }
        }
        throw HarnessError("there is no way out below \(supervisor)")
    }

    private static func name(_ pid: Int32) -> String {
        (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.trimmingCharacters(in: .newlines) ?? ""
    }

    private static func status(_ pid: Int32) throws -> [String: String] {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                line.firstIndex(of: ":").map {
                    (String(line[..<$0]), line[line.index(after: $0)...].trimmingCharacters(in: .whitespaces))
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test(.needsRoot, arguments: Caller.all) func `it has no right, no file and no company`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile())
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", Self.asking])
        let processes = try Self.processes(of: running.pid)
        for pid in [processes.egressInit, processes.gateway] {
            let status = try Self.status(pid)
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[set] == "0000000000000000", "\(set)")
            }
            #expect(status["NoNewPrivs"] == "1")
            #expect(status["Groups"]?.isEmpty == true)
            let uid = try #require(status["Uid"]?.split(separator: "\t").first.flatMap { UInt32($0) })
            let user = try Host.user.get()
            #expect(caller == .root ? (61184...65519).contains(uid) : uid == user.uid)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/root").isEmpty)
            for kind in ["user", "mnt", "pid", "ipc", "uts", "cgroup"] {
                let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")
                #expect(own != (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(kind)")))
            }
            let network = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
            #expect(network == (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")))
            // Not dumpable: /proc/PID is root's, and nobody of this user looks in.
            #expect(try FileManager.default.attributesOfItem(atPath: "/proc/\(pid)/maps")[.ownerAccountID] as? Int == 0)
            // Its end of every file is a socket, an event queue, memory, or nothing: no way back into a file system.
            for number in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd") {
                let file = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(number)")
                let isProgram = pid == processes.egressInit && file.hasSuffix("/clawjail-egress")
                #expect(
                    isProgram || file.hasSuffix("/null") || file.hasPrefix("socket:") || file.hasPrefix("anon_inode:")
                        || file.hasPrefix("pipe:") || file.hasPrefix("/memfd:"), "\(file)")
            }
        }
        #expect(try Self.status(processes.gateway)["Seccomp"] == "2")
        running.signal(SIGTERM)
        try running.wait()
        #expect(eventually { !Tree.isAlive(processes.gateway) && !Tree.isAlive(processes.egressInit) })
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `killed, it comes back as the same one`(caller: Caller) throws {
        let script = """
            ask() { curl -s -o /dev/null -m 5 -w '%{http_code}\\n' -X POST "$@"; }
            ask http://example.org/; sum=$(cksum </etc/ssl/certs/clawjail-ca.pem); echo up
            while [ ! -e /workspace/go ]; do sleep 0.05; done
            ask http://example.org/; ask https://example.org/; ask --noproxy '*' https://example.org/
            [ "$sum" = "$(cksum </etc/ssl/certs/clawjail-ca.pem)" ] && echo same
            """
        let workspace = try Scratch.directory("workspace", mode: 0o700)
        let jail = try Jail(caller, Self.profile())
        let running = try jail.startAndAwait(
            "up", ["--workspace", workspace], command: ["/bin/sh", "-c", script])
        let first = try Self.processes(of: running.pid)
        kill(first.gateway, SIGKILL)
        #expect(eventually { (try? Self.processes(of: running.pid))?.gateway ?? first.gateway != first.gateway })
        try Scratch.write("", to: workspace + "/go")
        let finished = try running.wait()
        #expect(finished.lines == ["403", "up", "403", "403", "403", "same"], "\(finished.errors)")
        #expect(finished.errors.contains("it is started again"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `killed again and again, it stays away`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile())
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", Self.asking])
        var killed: Set<Int32> = []
        let isGone = eventually(20) {
            if let gateway = try? Self.processes(of: running.pid).gateway, !killed.contains(gateway) {
                killed.insert(gateway)
                kill(gateway, SIGKILL)
            }
            return running.errorText.contains("goes on without a network")
        }
        #expect(isGone && killed.count == 6, "\(killed.count): \(running.errorText)")
        running.signal(SIGTERM)
        try running.wait()
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `killed with 'block', everything is refused at once`(caller: Caller) throws {
        let script = """
            echo up; while [ ! -e /workspace/go ]; do sleep 0.05; done
            for to in http://example.org/ 'http://93.184.216.34/' 'http://[2606::1]/'; do
              curl -s -m 5 --noproxy '*' -o /dev/null "$to"; echo $?
              curl -s -m 5 -o /dev/null "$to"; echo $?
            done
            """
        let workspace = try Scratch.directory("workspace", mode: 0o700)
        let jail = try Jail(caller, Self.profile("block"))
        let running = try jail.startAndAwait("up", ["--workspace", workspace], command: ["/bin/sh", "-c", script])
        let processes = try Self.processes(of: running.pid)
        kill(processes.gateway, SIGKILL)
        #expect(eventually { running.errorText.contains("goes on without a network") })
        #expect(eventually { !Tree.isAlive(processes.egressInit) })
        try Scratch.write("", to: workspace + "/go")
        let start = Date()
        let finished = try running.wait()
        // 6: no such name, 7: refused; never 28, a time-out.
        #expect(finished.lines == ["up", "6", "7", "7", "7", "7", "7"], "\(finished.errors)")
        #expect(Date().timeIntervalSince(start) < 4)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `killed with 'stop', the jail ends`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile("stop"))
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", Self.asking])
        kill(try Self.processes(of: running.pid).gateway, SIGKILL)
        let finished = try running.wait()
        #expect(finished.status == 143)
        #expect(finished.errors.contains("network.onGatewayExit"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `its init killed, nothing opens and nothing hangs`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile())
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", Self.asking])
        let processes = try Self.processes(of: running.pid)
        kill(processes.egressInit, SIGKILL)
        #expect(eventually { running.errorText.contains("goes on without a network") })
        #expect(eventually { !Tree.isAlive(processes.gateway) })
        running.signal(SIGTERM)
        try running.wait()
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `it dies with its supervisor`(caller: Caller) throws {
        let running = try Jail(caller, Self.profile())
            .startAndAwait("up", command: ["/bin/sh", "-c", Self.asking])
        let processes = try Self.processes(of: running.pid)
        running.signal(SIGKILL)
        #expect(eventually { !Tree.isAlive(processes.gateway) && !Tree.isAlive(processes.egressInit) })
        try running.wait()
    }

    @Test(arguments: Caller.all) func `without its program the command never runs`(caller: Caller) throws {
        let bin = try Scratch.directory("bin")
        try FileManager.default.copyItem(atPath: Host.clawjail, toPath: bin + "/clawjail")
        var jail = try Jail(caller, Self.profile())
        jail.before = "shift; set -- \(bin)/clawjail \"$@\""
        try jail.run("/bin/echo", "ran").expectRefusal(78, "clawjail-egress", "make install")
        // A program that is no gateway.
        try FileManager.default.copyItem(atPath: Host.probe, toPath: bin + "/clawjail-egress")
        let finished = try jail.run("/bin/echo", "ran")
        #expect(finished.status == 125 && finished.text.isEmpty)
        #expect(finished.errors.contains("clawjail: egress: "), "\(finished.errors)")
        try jail.expectNothingLeft()
    }
}
