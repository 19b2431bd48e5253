internal import JailCore

// One JSON object: what this process is, sees, and can do. Run inside a jail, it is the proof of what the jail is;
// run elsewhere, it shows that the proof can fail.

let options: Options
do throws(UsageError) {
    options = try Options(CommandLine.arguments.dropFirst())
} catch {
    try? System.writeAll(.standardError, "jailprobe: \(error.reason)\n")
    System.exitNow(64)
}
var report: [(String, JSON)] = [
    // First, so that nothing of this program's own is among it.
    ("descriptors", Facts.descriptors()),
    ("process", Facts.process()),
    ("identity", Facts.identity()),
    ("namespaces", Facts.namespaces()),
    ("host", Facts.host()),
    ("environment", Facts.environment()),
    ("pids", Facts.visibleProcesses()),
    ("mounts", Facts.mounts()),
    ("directories", Facts.directories(options.directories)),
]
report.append(("network", Facts.network()))
report.append(("sizes", Facts.sizes()))
if options.scansPrograms { report.append(("programs", Programs.all(unscanned: options.unscanned))) }
let company = Company(listen: options.listen)
if !options.factsOnly {
    report.append(("attempts", Attempts.all(options)))
}
do throws(SystemError) {
    try System.writeAll(.standardOutput, JSON.object(report).text() + "\n")
} catch {
    System.exitNow(1)
}
if options.waits || options.listen != nil { company.stay() }
