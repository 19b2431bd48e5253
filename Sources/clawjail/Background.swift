internal import Glibc
import JailCore
import JailLaunch
import JailPlan

/// `--detach`: the supervisor goes on without a terminal; the process that was started waits until the jail runs.
enum Background {
    /// Returns in the background process only.
    static func detach(_ reporter: inout Reporter) throws(JailError) {
        let ends = try attempt(.supervise) { () throws(SystemError) in try System.pipe().release() }
        let pid = try attempt(.supervise) { () throws(SystemError) in try System.fork() }
        if pid != 0 {
            System.close(ends.writeEnd)
            waitForStart(Descriptor(ends.readEnd))
        }
        System.close(ends.readEnd)
        reporter.waiting = SharedDescriptor(OwnedDescriptor(ends.writeEnd))
        try attempt(.supervise) { () throws(SystemError) in
            try System.newSession()
            let null = try System.open("/dev/null", .readOnly)
            try System.duplicate(null.borrowed, to: 0, closeOnExec: false)
        }
    }

    private static func waitForStart(_ report: Descriptor) -> Never {
        guard let bytes = try? System.readAll(report), !bytes.isEmpty else {
            Output.say("the background process ended before the jail ran")
            exit(ExitStatus.launchFailed)
        }
        let text = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        if text == "started" { exit(0) }
        let words = text.split(separator: " ", maxSplits: 1)
        Output.say(words.count == 2 ? String(words[1]) : text)
        exit(words.first.flatMap { Int32($0) } ?? ExitStatus.launchFailed)
    }

    /// Everything that the jail prints goes to `logs/NAME.log` in clawjail's state directory.
    static func openLog(_ plan: LaunchPlan) throws(JailError) -> OutputLog {
        try OutputLog(directory: plan.stateDirectory + "/logs", name: plan.name)
    }
}
