import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct GatherTests {
    @Test func `the facts of this host are those that the kernel shows`() throws {
        let facts = try HostFacts.gather(
            request(["node?"], ["node"]) { $0.process.programs.append(ProgramRule(name: "env")) })
        #expect(
            facts.kernelRelease == (try output("/usr/bin/uname", ["-r"]))?.split(separator: "\n").first.map(String.init)
        )
        #expect(facts.processors == Int(try output("/usr/bin/nproc", [])?.split(separator: "\n").first ?? ""))
        #expect(facts.memory > 1 << 26)
        #expect(facts.payload.uid != 0)
        #expect(facts.processorInfo.count == facts.processors)
        #expect(
            facts.processorInfo.allSatisfy { $0.hasPrefix("processor") && $0.hasSuffix("\n") && !$0.contains("\n\n") })
        for device in SourceProbe.devices where device != "/dev/tty" { #expect(facts.sources[device] != nil) }
        for file in facts.closure.files { #expect(facts.sources[file.path]?.identity == file.identity) }
        if let certificates = facts.certificates { #expect(facts.sources[certificates]?.isDirectory == false) }
    }

    @Test func `no more processors are described than the limit rounds up to`() throws {
        let facts = try HostFacts.gather(request(["env"], ["env"]) { $0.limits.milliCPUs = 250 })
        #expect(facts.processorInfo.count == 1)
    }

    @Test func `gathering is repeatable`() throws {
        let first = try HostFacts.gather(request(["env", "perl?"], ["env"]) { $0.limits.milliCPUs = 1 })
        var second = try HostFacts.gather(request(["env", "perl?"], ["env"]) { $0.limits.milliCPUs = 1 })
        // The clock rate in it changes from moment to moment.
        second.processorInfo = first.processorInfo
        #expect(first == second)
    }

    @Test func `a node profile is gathered fast`() throws {
        guard isThere("/usr/bin/node") else { return }
        var times: [Int64] = []
        for _ in 0..<50 {
            let start = System.monotonicNanoseconds()
            let facts = try HostFacts.gather(request(["node"], ["node"]))
            times.append(System.monotonicNanoseconds() - start)
            #expect(facts.closure.commandPath == "/usr/bin/node")
        }
        print("gather for node: first \(times[0] / 1000) µs, best \((times.min() ?? 0) / 1000) µs")
    }

    @Test func `state and runtime directories follow the XDG rules, and root's are fixed`() {
        var request = HostRequest(profile: Profile(name: "x"), command: ["x"], workingDirectory: "/")
        request.home = "/home/u"
        var user = CallerFacts()
        user.uid = 1000
        #expect(request.stateDirectory(user) == "/home/u/.local/state/clawjail")
        #expect(request.runtimeDirectory(user) == "/tmp/clawjail-1000")
        request.stateHome = "/s"
        request.runtimeHome = "/run/user/1000"
        #expect(request.stateDirectory(user) == "/s/clawjail")
        #expect(request.runtimeDirectory(user) == "/run/user/1000/clawjail")
        request.stateHome = "relative"
        #expect(request.stateDirectory(user) == "/home/u/.local/state/clawjail")
        #expect(request.stateDirectory(CallerFacts()) == "/var/lib/clawjail")
        #expect(request.runtimeDirectory(CallerFacts()) == "/run/clawjail")
    }

    @Test func `a directory that profiles are looked for in is not to be written, nor made, from inside`() throws {
        let directory = try TemporaryDirectory()
        try directory.symlink("config", to: "shown/sub")
        let shown = try directory.directory("shown")
        func message(_ profiles: String) -> String? {
            failure { () throws(JailError) in
                var request = request(["env"], ["env"]) {
                    $0.filesystem.write = [BindRule(source: shown, target: "/shown")]
                }
                request.profileDirectories = [profiles]
                _ = try HostFacts.gather(request)
            }?.description
        }
        // Neither of them is there; the second one leads through a symlink to nothing.
        for profiles in ["/shown/clawjail/profiles", "/config/clawjail/profiles"] {
            #expect(message(directory.path + profiles)?.contains("from which the rules of jails are read") == true)
        }
    }

    @Test func `blocks of cpuinfo end where the count is reached`() throws {
        let directory = try TemporaryDirectory()
        let text = (0..<40).map { "processor\t: \($0)\nflags\t: \(String(repeating: "x ", count: 300))\n\n" }.joined()
        let path = try directory.file("cpuinfo", text + "Hardware\t: summary\n")
        #expect(try ProcessorInfo.blocks(3, path: path).count == 3)
        let all = try ProcessorInfo.blocks(100, path: path)
        #expect(all.count == 40)
        #expect(all.last?.hasPrefix("processor\t: 39\n") == true)
        #expect(try ProcessorInfo.blocks(0, path: path).isEmpty)
        let bare = try directory.file("bare", "processor\t: 0\nx\t: y\n")
        #expect(try ProcessorInfo.blocks(2, path: bare) == ["processor\t: 0\nx\t: y\n"])
    }
}
