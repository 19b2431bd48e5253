import ArgumentParser
import Testing

@testable import clawjail

/// `run` has a reader of its own for plain command lines. Where it gives an answer, that must be the parser's.
struct `The quick way to run` {
    static let plain: [[String]] = [
        ["--", "node"],
        ["--"],
        ["--profile", "shell", "--", "bash"],
        ["-p", "shell", "--", "bash", "-c", "echo hi"],
        ["-p", "./my.json5", "--", "x"],
        ["--name", "one", "--", "x"],
        ["--tty", "--", "x"],
        ["-t", "--", "x"],
        ["--detach", "--", "x"],
        ["-d", "--", "x"],
        ["-t", "-d", "--", "x"],
        ["--publish", "18789", "--", "x"],
        ["--publish", "1", "--publish", "2:3", "--publish", "0.0.0.0:4:5", "--", "x"],
        ["--read", "/a", "--read", "/b:/c", "--", "x"],
        ["--write", "/a", "--write", ".", "--", "x"],
        ["--read", "/a", "--write", "/b", "--read", "/c", "--", "x"],
        ["--env", "A=1", "--env", "B=", "--env", "C=a=b c", "--", "x"],
        ["--memory", "512M", "--", "x"],
        ["--memory", "1", "--memory", "2", "--", "x"],
        ["--processes", "64", "--", "x"],
        ["--cpus", "1.5", "--", "x"],
        ["--workspace", ".", "--", "x"],
        ["--directory", "/workspace/a b", "--", "x"],
        ["--user", "nobody", "--", "x"],
        ["--status-fd", "3", "--", "x"],
        ["--status-fd", "0", "--", "x"],
        ["--status-fd", "2147483647", "--", "x"],
        ["--", "x", "--profile", "y", "--", "z", "-t"],
        ["--", "--", "--"],
        ["--", "", " ", "é\n"],
        ["--name", "", "--", "x"],
        ["--env", "A=é 日本", "--", "x"],
        [],
        ["-t"],
        ["-p", "offline", "-t", "--name", "n", "--memory", "1G", "--cpus", "2", "--user", "1", "-d", "--", "a", "b"],
    ]

    @Test(arguments: plain)
    func `reads plain command lines as the parser does`(words: [String]) throws {
        let parsed = try Run.parse(words)
        let quick = QuickRun(words[...])
        let read = try #require(quick)
        #expect(read.invocation == parsed.options.invocation)
        #expect(read.detach == parsed.detach)
        #expect(read.statusDescriptor == parsed.statusFd)
    }

    static let others: [[String]] = [
        ["--help"], ["-h"], ["--version"], ["node"], ["--profile"], ["--profile", "--", "x"],
        ["--profile=shell", "--", "x"],
        ["-pshell", "--", "x"], ["-td", "--", "x"], ["--prof", "shell", "--", "x"], ["--unknown", "x", "--", "x"],
        ["--status-fd", "three", "--", "x"], ["--status-fd", "99999999999", "--", "x"], ["--memory", "-1", "--", "x"],
        ["--name", "-x", "--", "x"], ["x", "--", "y"], ["-", "--", "x"], ["--Tty", "--", "x"], ["", "--", "x"],
    ]

    @Test(arguments: others)
    func `leaves everything else to the parser`(words: [String]) {
        #expect(QuickRun(words[...]) == nil)
    }

    /// What both refuse, or only the parser takes, is never run by the quick way with another meaning.
    @Test func `agrees with the parser on every line of three words, wherever it answers at all`() throws {
        let words = ["--", "-t", "-d", "--tty", "-p", "--name", "--status-fd", "3", "x", "-", "", "--publish", "-x"]
        var answered = 0
        for first in words {
            for second in words {
                for third in words {
                    let line = [first, second, third, "--", "y"]
                    guard let quick = QuickRun(line[...]) else { continue }
                    answered += 1
                    let parsed = try? Run.parse(line)
                    #expect(quick.invocation == parsed?.options.invocation, "\(line)")
                    #expect(quick.detach == parsed?.detach && quick.statusDescriptor == parsed?.statusFd, "\(line)")
                }
            }
        }
        #expect(answered > 100)
    }
}
