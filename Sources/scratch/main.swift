import JailCore
import JailHost
import JailPlan
import JailPolicy

func timed(_ name: String, _ body: () throws -> Void) rethrows {
    var best = Int64.max
    var first: Int64 = 0
    for i in 0..<(CommandLine.arguments.count > 2 ? 1 : 200) {
        let start = System.monotonicNanoseconds()
        try body()
        let t = System.monotonicNanoseconds() - start
        if i == 0 { first = t }
        best = min(best, t)
    }
    print("T", name, "first", Double(first) / 1000, "best", Double(best) / 1000)
}
let programs = CommandLine.arguments[1].split(separator: ",").map(String.init)
var profile = Profile(name: "x"); profile.process.programs = programs.map { ProgramRule(name: $0) }
var request = try HostRequest.fromEnvironment(profile: profile, command: [programs[0]])
if System.effectiveUserID == 0 { request.user = "nobody" }
try timed("gather") { _ = try HostFacts.gather(request) }
if CommandLine.arguments.count > 2 { exit0() }
func exit0() -> Never { System.exitNow(0) }
if CommandLine.arguments.count == 2, false {}
try timed("cpuinfo") { _ = try ProcessorInfo.blocks(2) }
timed("accounts") { _ = Accounts() }
timed("cgroup") { _ = CgroupProbe.examine() }
timed("cache") { _ = LibraryCache(path: "/etc/ld.so.cache") }
let c = LibraryCache(path: "/etc/ld.so.cache")
timed("lookup") { _ = c?.paths(of: "libc.so.6") }
let reach = Reach(payload: HostIdentity(name: "nobody", uid: 65534, gid: 65534), isCaller: false)
let s = ProgramResolver.Surroundings(searchPath: System.environmentValue("PATH"), workingDirectory: "/", reach: reach, boundaries: Boundaries(homes: []))
try timed("resolve") { var r = ProgramResolver(profile: profile, surroundings: s, tree: HostTree()); _ = try r.resolve(command: [programs[0]]) }
if programs.count > 1 { for _ in 0..<3000 { var r = ProgramResolver(profile: profile, surroundings: s, tree: HostTree()); _ = try r.resolve(command: [programs[0]]) } }
timed("elf") { _ = try? ElfFile(RandomAccess.opening("/usr/bin/node")) }
timed("env") { _ = System.environment() }
let d = try Doctor.examine(searchPath: System.environmentValue("PATH"))
print(Doctor.text(d.checks))
