import ArgumentParser
import Testing

@testable import clawjail

/// The forms of `exec` and `session create` that never see the general parser mean what it would make of them.
struct QuickExecTests {
    private static func bytes(_ words: [String]) -> [[UInt8]] { (["clawjail"] + words).map { Array($0.utf8) } }

    @Test(arguments: [["exec"], ["session", "exec"]])
    func `exec agrees with the parser wherever it answers at all`(command: [String]) {
        let words = [
            "one", "--", "-t", "--tty", "--workdir", "/w", "--env-fd", "3", "three", "--env-file", "--exec-id", "-x",
            "",
        ]
        var answered = 0
        for first in words {
            for second in words {
                for third in words {
                    let line = ["jail", first, second, third, "--", "y"]
                    guard let quick = ExecCall(Self.bytes(command + line)) else { continue }
                    answered += 1
                    #expect(quick == (try? Exec.parse(line))?.call, "\(line)")
                }
            }
        }
        #expect(answered > 20)
    }

    @Test(arguments: [
        ["exec"], ["exec", "jail"], ["exec", "-t", "jail", "--", "x"], ["exec", "--help"], ["session"],
        ["session", "create", "jail", "--", "x"], ["exec", "jail", "--env-fd", "three", "--", "x"],
        ["exec", "jail", "--workdir=/", "--", "x"], ["run", "jail", "--", "x"], [],
    ])
    func `exec leaves everything else to the parser`(words: [String]) {
        #expect(ExecCall(Self.bytes(words)) == nil)
    }

    @Test func `exec leaves what is no text to the parser, but for the command`() {
        let name: [UInt8] = [0xFF]
        #expect(ExecCall(Self.bytes(["exec"]) + [name] + [Array("--".utf8)]) == nil)
        #expect(ExecCall(Self.bytes(["exec", "jail", "--"]) + [name])?.name == "jail")
    }

    @Test func `session create agrees with the parser wherever it answers at all`() {
        let options = [
            "--id", "--profile", "-p", "--workspace", "--agent", "--ro", "--memory", "--processes", "--cpus", "--env",
            "--label", "--user", "--egress-group", "--unknown",
        ]
        var answered = 0
        for first in options {
            for second in options {
                for value in ["x", "", "-x", "a=b"] {
                    let line = [first, value, second, "y"]
                    guard let quick = SessionSettings(line[...]) else { continue }
                    answered += 1
                    #expect(quick == (try? SessionCreate.parse(line))?.settings, "\(line)")
                }
            }
        }
        #expect(answered > 100)
        #expect(SessionSettings([]) == SessionSettings())
        #expect(SessionSettings(["--id"]) == nil)
    }
}
