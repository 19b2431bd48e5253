import Foundation
import Testing

@Suite struct StreamTests {
    @Test(arguments: Caller.all) func `8 MiB pass through pipes byte for byte`(caller: Caller) throws {
        let input = Scratch.file("random")
        try shell("head -c 8388608 /dev/urandom > \"$1\"", input)
        var jail = try Jail(caller)
        // A pipe on either side: cat's on the way in, and one to a file on the way out.
        jail.wrapper = ["/bin/sh", "-c", "cat '\(input)' | \"$@\" | cat", "sh"]
        let finished = try jail.run("/bin/cat")
        #expect(finished.output.count == 8_388_608)
        #expect(finished.output == FileManager.default.contents(atPath: input))
    }

    @Test(arguments: Caller.all) func `standard error is the caller's`(caller: Caller) throws {
        let finished = try Jail(caller).script("echo out; echo err >&2")
        #expect(finished.text == "out\n")
        #expect(finished.errors == "err\n")
    }

    @Test(arguments: Caller.all) func `a reader that goes away ends the writer`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.wrapper = ["/bin/sh", "-c", "(\"$@\"; echo $? >&2) | head -n 1", "sh"]
        let finished = try jail.run("/usr/bin/yes")
        #expect(finished.text == "y\n")
        #expect(finished.errors == "141\n")
    }

    @Test(arguments: Caller.all, [("<&-", "standard input"), (">&-", "standard output")])
    func `a closed standard stream is refused`(caller: Caller, stream: (redirection: String, name: String)) throws {
        var jail = try Jail(caller)
        jail.before = "exec \(stream.redirection)"
        try jail.run("/bin/true").expectRefusal(125, "\(stream.name) is closed", "/dev/null")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a closed standard error is refused without a word`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.before = "exec 2>&-"
        let finished = try jail.script("echo ran")
        #expect(finished.status == 125)
        #expect(finished.output.isEmpty)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a directory as a standard stream is refused`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.standardInput = "/usr"
        try jail.run("/bin/true").expectRefusal(125, "standard input is a directory")
        try jail.expectNothingLeft()
    }
}
