import JailCore
import JailPlan
import JailPolicy
import JailVerify
import TestSupport
import Testing

/// The probe itself, outside of any jail of clawjail's: what it reports there is no jail that holds.
@Suite struct ReferenceTests {
    /// Without what would ask the network or look through the whole host.
    private static func arguments(_ list: CheckList) -> [String] {
        let left = ["--programs", "--unscanned", "--resolve", "--request", "--listen", "--eat"]
        var result: [String] = []
        var words = list.arguments[...]
        while let option = words.popFirst() {
            let value = option == "--programs" ? nil : words.popFirst()
            if !left.contains(option) { result += [option] + (value.map { [$0] } ?? []) }
        }
        return result
    }

    private static func held(_ wrapper: [String] = []) throws -> Set<String> {
        let list = CheckList(try PaperPlan.make(), Trial())
        let probe = try Program.built("jailprobe")
        let words = wrapper + [probe] + arguments(list)
        let result = try Program.run(words[0], Array(words.dropFirst()))
        let report = try #require(ProbeReport(Array(result.output.utf8)), "\(result.output.prefix(200))")
        var outside = OutsideFacts()
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            outside.namespaces[kind] = try System.readLink("/proc/self/ns/\(kind)")
        }
        let verification = Verification(list, Evidence(inside: report, outside: outside), subject: "reference")
        #expect(!verification.holds)
        return Set(verification.rows.filter { $0.judgement.state == .held }.map(\.check.id))
    }

    @Test(.needsRoot) func `unconfined, hardly anything is held to be promised`() throws {
        // What programs need is there. An abstract socket of that name nobody has, and groups and core files are a matter of who
        // started the tests.
        let held = try Self.held()
        #expect(
            held.isSubset(of: [
                "calls.needed", "limits.core", "host.sockets", "who.scheduling", "who.groups",
            ]), "\(held)")
    }

    @Test(.needsRoot, .needs("bwrap"))
    func `under bubblewrap its namespaces and its root are seen, and what it leaves open`()
        throws
    {
        let held = try Self.held([
            Program.path(of: "bwrap") ?? "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--proc",
            "/proc", "--dev", "/dev",
        ])
        #expect(held.contains("net.interfaces"))
        for id in ["who.user", "calls.filter", "calls.kernel", "programs.memory", "files.hidden", "limits.memory"] {
            #expect(!held.contains(id), "\(id)")
        }
    }
}
