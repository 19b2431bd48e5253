internal import JailCore

// One JSON object: what this process is, sees, and can do. See docs/verification.md for how it is used.

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
if !options.factsOnly {
    report.append(("attempts", Attempts.all(options)))
}
do throws(SystemError) {
    try System.writeAll(.standardOutput, JSON.object(report).text() + "\n")
} catch {
    System.exitNow(1)
}
