import Foundation
import Testing

@Suite struct TerminalTests {
    private func bash(_ caller: Caller) throws -> TerminalSession {
        let session = try TerminalSession(
            Jail(caller), options: ["--tty"], command: ["/bin/bash", "--norc", "--noprofile", "-i"])
        session.type("PS1='ready> '\n")
        // The second one is the prompt itself; the first was the line being typed.
        try session.expect("ready> ")
        session.type("set +o history; bind 'set enable-bracketed-paste off'; echo go$((1+1))\n")
        try session.expect("go2")
        return session
    }

    @Test(arguments: Caller.all) func `--tty gives a terminal of the jail's own`(caller: Caller) throws {
        let session = try TerminalSession(
            Jail(caller), options: ["--tty"],
            command: ["/bin/sh", "-c", "tty; ls /dev/pts; exec 3<>/dev/tty && echo controlled"])
        let finished = try session.finish()
        #expect(finished.status == 0)
        #expect(finished.text.contains("/dev/pts/0"))
        #expect(finished.text.contains("controlled"))
        #expect(!finished.text.contains("/dev/pts/1"))
    }

    @Test(arguments: Caller.all) func `input that the caller ends is ended for the command`(caller: Caller)
        throws
    {
        let session = try TerminalSession(
            Jail(caller), options: [], command: ["/bin/sh", "-c", "echo ready; cat; echo ended"])
        try session.expect("ready")
        session.type("a line\n")
        try session.expect("a line")
        session.type("\u{4}")  // ^D
        try session.expect("ended")
        #expect(try session.finish().status == 0)
    }

    @Test(arguments: Caller.all) func `job control works`(caller: Caller) throws {
        let session = try bash(caller)
        session.type("sleep 100 &\n")
        try session.expect("[1] ")
        session.type("jobs\n")
        try session.expect("Running")
        session.type("fg\n")
        try session.expect("sleep 100")
        moment(0.3)
        session.type("\u{1A}")  // ^Z
        try session.expect("Stopped")
        session.type("fg\n")
        try session.expect("sleep 100")
        moment(0.3)
        session.type("\u{3}")  // ^C
        session.type("echo status$?\n")
        try session.expect("status130")
        session.type("exit 9\n")
        #expect(try session.finish().status == 9)
    }

    @Test(arguments: Caller.all) func `the window's size is the caller's, and follows it`(caller: Caller) throws {
        let session = try TerminalSession(
            Jail(caller), options: ["--tty"],
            command: [
                "/bin/bash", "-c", "stty size; trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done",
            ],
            rows: 31, columns: 97)
        try session.expect("31 97")
        try session.expect("up")
        session.resize(45, 123)
        try session.expect("45 123")
        #expect(try session.finish().status == 0)
    }

    @Test(arguments: Caller.all) func `the caller's terminal is raw meanwhile, and restored afterwards`(caller: Caller)
        throws
    {
        let session = try TerminalSession(
            Jail(caller), options: ["--tty"], command: ["/bin/sh", "-c", "echo up; read line; exit 5"])
        try session.expect("up")
        let during = session.attributes
        session.type("\r")
        #expect(try session.finish().status == 5)
        // ICANON and ECHO of termios(3).
        #expect(during[2] & 0o12 == 0)
        #expect(session.attributes[2] & 0o12 == 0o12)
    }

    @Test(arguments: Caller.all) func `a killed jail leaves the caller's terminal as it was`(caller: Caller) throws {
        let session = try TerminalSession(
            Jail(caller, SignalTests.shortGrace), options: ["--tty"],
            command: ["/bin/sh", "-c", "trap '' TERM; echo up; sleep 64"])
        let before = session.attributes
        try session.expect("up")
        session.running.signal(15)
        let finished = try session.finish()
        #expect(finished.status == 137, "\(finished.text)")
        #expect(session.attributes[2] & 0o12 == before[2] & 0o12)
        #expect(session.attributes[2] & 0o12 == 0o12)
    }

    @Test(arguments: Caller.all) func `without a terminal --tty is refused`(caller: Caller) throws {
        let jail = try Jail(caller)
        let finished = try jail.run(["--tty"], command: ["/bin/true"])
        #expect(finished.status != 0)
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.hasPrefix("clawjail: "))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `output of a terminal arrives to its last byte`(caller: Caller) throws {
        let session = try TerminalSession(
            Jail(caller), options: ["--tty"], command: ["/bin/sh", "-c", "seq 20000; echo the end"])
        let finished = try session.finish()
        #expect(finished.text.hasSuffix("the end\r\n"))
        #expect(finished.text.split(separator: "\r\n").count == 20001)
    }
}
