import Foundation
import Testing

@Suite struct UsageRefusalTests {
    static let names = [
        "a/b", "..", ".", "-x", "_x", "a b", "ä", "A", "a\nb", "", "a\u{1B}[31m", String(repeating: "x", count: 300),
    ]

    @Test(arguments: Caller.all, names) func `names that are none`(caller: Caller, name: String) throws {
        let jail = try Jail(caller)
        let user = caller == .root ? ["--user", try Host.user.get().name] : []
        let finished = try jail.start(
            words: ["run", "--profile", jail.profile, "--name=\(name)"] + user + ["--", "/bin/true"]
        ).wait()
        #expect([64, 78].contains(finished.status))
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.hasPrefix("clawjail: "))
        #expect(!finished.errors.contains("\u{1B}"))
    }

    @Test(arguments: Caller.all) func `environment: values of more than one line, and names that are none`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller)
        try jail.run(["--env", "A=one\ntwo"], command: ["/bin/true"]).expectRefusal(64, "--env")
        for text in ["no-equals-sign", "=x", "1A=x", "A B=x", "LD\u{7}=x"] {
            #expect(try jail.run(["--env", text], command: ["/bin/true"]).status == 64, "\(text)")
        }
    }

    @Test(arguments: Caller.all) func `sizes, shares and ports that are none`(caller: Caller) throws {
        let jail = try Jail(caller)
        for options in [
            ["--memory", "0"], ["--memory", "1X"], ["--memory", "99999999999999999999G"], ["--processes", "0"],
            ["--cpus", "0"], ["--cpus", "nan"], ["--publish", "0"], ["--publish", "70000"], ["--publish", "a:b:c:d"],
            ["--read", "relative"], ["--write", "/a/../b"], ["--workspace", "relative"],
            ["--user", "no-such-user-here"],
        ] {
            let finished = try jail.run(options, command: ["/bin/true"])
            #expect([64, 78].contains(finished.status), "\(options)")
            #expect(finished.errorLines.count == 1, "\(options): \(finished.errors)")
            #expect(finished.errors.hasPrefix("clawjail: "), "\(options): \(finished.errors)")
        }
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `variables of the caller that are hostile do no harm`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.environment = [
            "LANG": "a\u{1B}[2J\nb", "TZ": String(repeating: "x", count: 100_000), "PATH": ".:relative::/usr/bin:/bin",
            "HOME": jail.home, "TERM": "../../x",
        ]
        #expect(try jail.run("/bin/true").status == 0)
    }
}
