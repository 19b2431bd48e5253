internal import Glibc
import JailCore
import JailLandlock
import JailPrivileges
import TestSupport
import Testing

@testable import JailPlan

/// The second domain, which the jail's own command enters and what is run for it does not.
@Suite(.timeLimit(.minutes(1)), .needsLandlock(2))
struct `What is kept from the command` {
    private static func plan(_ rules: [LandlockPlan.Rule]) -> WithheldPlan {
        let abi = min(System.landlockABI(), LandlockPlan.mostABI)
        return WithheldPlan(abi: abi, programs: [], files: [], rules: rules, scoped: abi >= 6)
    }

    /// What programs need to be loaded, and a shell; nothing else of /usr/bin.
    private static func rules(_ shell: String) throws -> [LandlockPlan.Rule] {
        var rules = [LandlockPlan.Rule(path: shell, access: .execute)]
        for path in ["/usr/lib", "/lib", "/lib64", "/etc", "/proc", "/dev"] {
            guard let status = try? System.status(path, followSymlink: true), status.isDirectory else { continue }
            // Rules are on what is there, and symlinks are not followed.
            if (try? System.status(path))?.kind == .directory { rules.append(.init(path: path, access: .execute)) }
        }
        return rules
    }

    /// Runs a line in the second domain, and returns its status.
    private static func run(_ line: String, _ ruleset: Descriptor) throws(SystemError) -> Int32 {
        var surroundings = System.Surroundings(directory: .path("/"))
        surroundings.ruleset = ruleset
        let child = try System.spawn(
            System.Program(path: "/bin/sh", arguments: ["sh", "-c", line], environment: ["PATH=/usr/bin"]), surroundings
        )
        return try System.wait(forChild: child).status
    }

    static func shell() throws -> String {
        let shell = try System.readLink("/bin/sh")
        return shell.hasPrefix("/") ? shell : "/usr/bin/\(shell)"
    }

    @Test func `it is neither executed nor read, whichever way`() async {
        await #expect(processExitsWith: .success) {
            let program = try #require(Program.path(of: "env"))
            let loader = "/lib64/ld-linux-x86-64.so.2"
            let shell = try Self.shell()
            let rules = try Self.rules(shell)
            try Child.run {
                try System.setNoNewPrivileges()
                let ruleset = try Self.plan(rules).makeRuleset()
                // The test can see: without the domain it all works.
                try requireEqual(try Self.run(": < \(program)", Descriptor(-1)), 0)
                for line in [
                    program, ": < \(program)", "\(loader) \(program)", "exec 3< \(program)", ". \(program)",
                    "exec \(program) true",
                ] {
                    let status = try Self.run("\(line) 2> /dev/null", ruleset.borrowed)
                    try require(status != 0, "\(line)")
                }
                try requireEqual(try Self.run(":", ruleset.borrowed), 0)
                // This process has not entered it.
                _ = try System.open(program, .readOnly)
            }
        }
    }

    @Test(.needsLandlock(6)) func `it can neither signal nor look into what runs outside of it`() async {
        await #expect(processExitsWith: .success) {
            let shell = try Self.shell()
            let rules = try Self.rules(shell)
            try Child.run {
                // As in a jail: root would see some of it whatever the domains are.
                try Privileges.dropCapabilities()
                try System.setNoNewPrivileges()
                let ruleset = try Self.plan(rules).makeRuleset()
                let sleep = try System.spawn(
                    "/usr/bin/sleep", arguments: ["sleep", "60"], environment: [], directory: "/", terminal: nil)
                defer {
                    try? System.kill(sleep, SIGKILL)
                    _ = try? System.wait(forChild: sleep)
                }
                // The test can see: without the domain it all works.
                for line in ["kill -0 \(sleep)", ": < /proc/\(sleep)/environ"] {
                    try requireEqual(try Self.run(line, Descriptor(-1)), 0)
                }
                for line in [
                    "kill -0 \(sleep)", "kill -STOP \(sleep)", ": < /proc/\(sleep)/exe", ": < /proc/\(sleep)/mem",
                    ": < /proc/\(sleep)/environ", "cd /proc/\(sleep)/root", "cd /proc/\(sleep)/cwd",
                    ": < /proc/\(sleep)/fd/0",
                ] {
                    try require(try Self.run("\(line) 2> /dev/null", ruleset.borrowed) != 0, "\(line)")
                }
            }
        }
    }
}
