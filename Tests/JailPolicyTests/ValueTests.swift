import JailPolicy
import TestSupport
import Testing

struct `Sizes, times and shares` {
    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("4096", 4096), ("64K", 65536), ("512M", 536_870_912), ("2G", 2_147_483_648),
            ("1T", 1_099_511_627_776),
            ("9223372036854775807", 9_223_372_036_854_775_807), ("8388607T", 9_223_370_937_343_148_032),
        ] as [(String, UInt64)])
    func `a size is a number of bytes`(text: String, bytes: UInt64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(arguments: [
        "", "M", "-1", "+1", "1.5G", "1 M", " 1M", "1M ", "512m", "512MB", "512MiB", "1E", "1P", "0x10", "01M", "1MM",
        "١M",
        "5\u{600}M", "512\u{212A}", "1M\u{301}", "9223372036854775808", "8388608T", "18446744073709551616",
        "99999999999999999999T",
    ])
    func `every other spelling of a size is refused`(text: String) {
        #expect(throws: ValueError.self) { try ByteSize.parse(text) }
    }

    @Test func `a size that is written is read back`() throws {
        var generator = Seeded(2)
        for _ in 0..<500 {
            let bytes =
                UInt64.random(in: 0...UInt64(Int64.max), using: &generator)
                >> UInt64.random(in: 0..<63, using: &generator)
            let round = (bytes >> 20) << 20
            #expect(try ByteSize.parse(ByteSize.format(bytes)) == bytes)
            #expect(try ByteSize.parse(ByteSize.format(round)) == round)
        }
        #expect([0, 1023, 1024, 1536 << 20, 1 << 40].map(ByteSize.format) == ["0", "1023", "1K", "1536M", "1T"])
    }

    @Test(
        arguments: [
            ("0s", 0), ("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("90m", 5_400_000),
        ] as [(String, UInt64)])
    func `a time is a number of milliseconds`(text: String, milliseconds: UInt64) throws {
        #expect(try TimeSpan.parse(text) == milliseconds)
        #expect(try TimeSpan.parse(TimeSpan.format(milliseconds)) == milliseconds)
    }

    @Test(arguments: [
        "", "30", "s", "ms", "1.5s", "-1s", "1w", "1 s", "30S", "01s", "1us", "5\u{600}s", "18446744073709551615s",
    ])
    func `every other spelling of a time is refused`(text: String) {
        #expect(throws: ValueError.self) { try TimeSpan.parse(text) }
    }

    @Test(
        arguments: [
            ("0.1", 100), ("1", 1000), ("1.5", 1500), ("2.125", 2125), ("1024", 1_024_000), (".5", 500), ("0.100", 100),
        ] as [(String, UInt64)])
    func `a share of processors is exact`(text: String, thousandths: UInt64) throws {
        #expect(try ProcessorShare.parse(text) == thousandths)
        #expect(try ProcessorShare.parse(ProcessorShare.format(thousandths)) == thousandths)
    }

    @Test(arguments: [
        "", ".", "0", "0.099", "0.0999", "1.0005", "1024.001", "1025", "-1", "+1", "1e1", "0x1", "1.5.0", "1,5", "01",
        "1.x", "1.\u{661}",
        "99999999999999999999",
    ])
    func `a share out of range or of another form is refused`(text: String) {
        #expect(throws: ValueError.self) { try ProcessorShare.parse(text) }
    }
}

struct `Ports` {
    @Test(
        arguments: [
            ("18789", 0x7F00_0001, 18789, 18789), ("8080:18789", 0x7F00_0001, 8080, 18789),
            ("127.0.0.1:1:65535", 0x7F00_0001, 1, 65535),
            ("0.0.0.0:8080:80", 0, 8080, 80), ("192.168.1.255:1:2", 0xC0A8_01FF, 1, 2),
        ] as [(String, UInt32, UInt16, UInt16)])
    func `a published port has an address, a port of the host and one of the jail`(
        text: String, address: UInt32, host: UInt16, jail: UInt16
    ) throws {
        let port = try PublishedPort.parse(text)
        #expect((port.hostAddress, port.hostPort, port.jailPort) == (address, host, jail))
        #expect(try PublishedPort.parse(port.formatted) == port)
    }

    @Test(arguments: [
        "", "0", "65536", "080", "-1", "a", "80:", ":80", "0:80", "80:0", "1:2:3", "1.2.3:1:2", "1.2.3.4.5:1:2",
        "1.2.3.256:1:2",
        "01.2.3.4:1:2", "0x7f.0.0.1:1:2", "127.1:1:2", "2130706433:1:2", "::1:1:2", "[::1]:1:2", "localhost:1:2",
        "1.2.3.4:80",
        "1.2.3.4:1:2:3", "1.2..4:1:2", " 80", "80/tcp", "80-90", "1.2.3.4:1:2:", ":1:2",
    ])
    func `every other spelling of a published port is refused`(text: String) {
        #expect(throws: ValueError.self) { try PublishedPort.parse(text) }
    }
}

struct `Paths` {
    @Test(arguments: ["/", "/a", "/opt/x y/é", "/a/.b", "/a/..b", "/a/...", "/" + String(repeating: "a", count: 255)])
    func `an absolute path in its one spelling passes`(text: String) throws {
        try AbsolutePath.check(text)
    }

    @Test(arguments: [
        "", "a", "./a", "../a", "/a/", "//", "//a", "/a//b", "/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b", "/a\nb",
        "/a\0b",
        "/a\u{1B}", "/a\u{9B}", "~/a", "/" + String(repeating: "a", count: 256), String(repeating: "/a", count: 2048),
    ])
    func `every other spelling of a path is refused`(text: String) {
        #expect(throws: ValueError.self) { try AbsolutePath.check(text) }
    }

    @Test func `a path of 4095 bytes passes and one of 4096 does not`() throws {
        let component = "/" + String(repeating: "a", count: 254)
        let long = String(repeating: component, count: 16)
        try AbsolutePath.check(long + "/" + String(repeating: "b", count: 14))
        #expect(throws: ValueError.self) { try AbsolutePath.check(long + "/" + String(repeating: "b", count: 15)) }
    }

    @Test func `a tilde stands for the home directory that the caller gives`() throws {
        #expect(try AbsolutePath.host("~", home: "/home/ann") == "/home/ann")
        #expect(try AbsolutePath.host("~/x/y", home: "/home/ann") == "/home/ann/x/y")
        #expect(try AbsolutePath.host("~/x", home: "/") == "/x")
        #expect(try AbsolutePath.host("/x/~", home: nil) == "/x/~")
        for text in ["~ann", "~/", "~//x", "~/../x", "x/~"] {
            #expect(throws: ValueError.self) { try AbsolutePath.host(text, home: "/home/ann") }
        }
        #expect(throws: ValueError.self) { try AbsolutePath.host("~/x", home: nil) }
        #expect(throws: ValueError.self) { try AbsolutePath.host("~/x", home: "relative") }
        #expect(throws: ValueError.self) { try AbsolutePath.host("~", home: "") }
    }

    @Test func `nothing is shown over what the jail has of its own`() throws {
        for text in ["/", "/proc", "/proc/1", "/dev", "/dev/shm/x", "/sys/fs", "/etc", "/etc/ssl"] {
            #expect(throws: ValueError.self) { try AbsolutePath.checkTarget(text) }
        }
        for text in ["/processes", "/device", "/opt/etc", "/etcetera", "/data"] { try AbsolutePath.checkTarget(text) }
    }

    @Test func `a bind rule has a source and a target`() throws {
        #expect(try BindRule.parse("/opt/x", home: nil) == BindRule(source: "/opt/x", target: "/opt/x"))
        #expect(try BindRule.parse("/opt/x:/inside", home: nil) == BindRule(source: "/opt/x", target: "/inside"))
        #expect(try BindRule.parse("~/x:/y", home: "/home/ann") == BindRule(source: "/home/ann/x", target: "/y"))
        #expect(try BindRule.parse("/etc/hosts:/hosts", home: nil) == BindRule(source: "/etc/hosts", target: "/hosts"))
    }

    @Test(arguments: [
        "", ":", "/x:", ":/x", "/x:y", "x:/y", "/x:/y:ro", "/x:/y:", "/", "/:/host", "/proc:/x", "/proc/1/root:/x",
        "/sys:/x", "/etc/hosts",
        "/x:/etc/passwd", "/x:/", "/x:/dev/x", "/x:~/y", "/x/..:/y", "/x:/y/../../etc",
    ])
    func `a bind rule that shows too much, or too little, is refused`(text: String) {
        #expect(throws: ValueError.self) { try BindRule.parse(text, home: "/home/ann") }
    }
}

struct `Names` {
    typealias Check = (String) throws(ValueError) -> Void

    private func expect(_ check: Check, passes: [String], refuses: [String]) {
        for text in passes { #expect(message { try check(text) } == "no error", "\(text)") }
        for text in refuses { #expect(throws: ValueError.self, "\(text)") { try check(text) } }
    }

    @Test func `profiles`() {
        let longest = String(repeating: "a", count: 64)
        expect(
            Name.checkProfile, passes: ["a", "0", "research", "a-b_c9", longest],
            refuses: ["", "-a", "_a", "A", "a.b", "a/b", "..", "é", "a b", "a\n", longest + "a"])
    }

    @Test func `environment variables`() {
        expect(
            Name.checkEnvironment, passes: ["A", "_", "a1_B", "LD_PRELOAD"],
            refuses: ["", "1A", "A-B", "A=B", "A B", "Ä", "A\0", "\u{212A}"])
        expect(
            Name.checkPassed, passes: ["LANG", "LD", "XLD_A", "ld_preload"],
            refuses: ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_", "GLIBC_TUNABLES", "GCONV_PATH", "A=B"])
    }

    @Test func `users`() {
        expect(
            Name.checkInsideUser, passes: ["claw", "_a", "a-b_9", String(repeating: "a", count: 32)],
            refuses: ["", "root", "nobody", "Claw", "9a", "a.b", "a:b", "a\n", String(repeating: "a", count: 33)])
        expect(
            Name.checkHostUser, passes: ["ann", "Ann.Lee", "_x", "1", "4294967294"],
            refuses: ["", "root", "0", "00", "4294967295", "99999999999999999999", "-1", "1a", "a b", "a:b", "a/b"])
    }

    @Test func `host names and system calls`() {
        let label = String(repeating: "a", count: 63)
        expect(
            Name.checkHostName, passes: ["a", "a-b.c", "0", label],
            refuses: ["", "-a", "a-", "a..b", ".a", "a.", "A", "a_b", "a b", label + "a", "é"])
        expect(
            Name.checkSystemCall, passes: ["bpf", "_sysctl", "clone3"], refuses: ["", "3a", "a-b", "A", "a b", "a\0"])
    }

    @Test func `hosts`() {
        let label = String(repeating: "a", count: 63)
        let longest = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        expect(
            HostPattern.check,
            passes: [
                "*", "a", "example.org", "*.example.org", "xn--bcher-kva.example", "1.example", label, longest,
                "example.org.", "Example.org", "bücher.example", "1.2.3.4", "::1",
            ],
            refuses: [
                "", ".", "*.", "*.*", "**", "a.*", "*a", "a b", "a/b", "a:443",
                "https://a", "-a.b", "a-.b",
                "a..b", "127.1", "2130706433", "0x7f.1", "0x7f000001", "a.0x1", "[::1]", "xn--a", "xn--a-.example",
                label + "a",
                "a" + longest, "*.1",
            ])
        expect(HTTPMethod.check, passes: HTTPMethod.known, refuses: ["", "get", "CONNECT", "TRACE", "GET ", "*"])
    }

    @Test func `variables with values`() throws {
        #expect(try EnvironmentVariable.parse("A=b=c") == EnvironmentVariable(name: "A", value: "b=c"))
        #expect(try EnvironmentVariable.parse("LD_PRELOAD=") == EnvironmentVariable(name: "LD_PRELOAD", value: ""))
        for text in ["", "A", "=b", "1=b", "A=b\nc", "A=b\rc", "A=b\0"] {
            #expect(throws: ValueError.self) { try EnvironmentVariable.parse(text) }
        }
        // With its NUL, the longest that the kernel takes, and one more.
        _ = try EnvironmentVariable.parse("A=" + String(repeating: "x", count: 131_069))
        #expect(message { try EnvironmentVariable.parse("A=" + String(repeating: "x", count: 131_070)) } != "no error")
    }
}

struct `Program rules` {
    @Test func `a program is a name, a path or a directory, and may be missing`() throws {
        #expect(try ProgramRule.parse("node") == ProgramRule(name: "node"))
        #expect(try ProgramRule.parse("openclaw?") == ProgramRule(name: "openclaw", mayBeMissing: true))
        #expect(try ProgramRule.parse("/opt/x/tool?") == ProgramRule(name: "/opt/x/tool", mayBeMissing: true))
        #expect(try ProgramRule.parse("/usr/bin/").isDirectory)
        #expect(try ProgramRule.parse("g++").name == "g++")
        for text in ["python3.11", "/usr/bin/", "/a/b?", "x?"] {
            #expect(try ProgramRule.parse(text).formatted == text)
        }
    }

    @Test(arguments: [
        "", "?", "a??", "./a", "a/b", "a/", "../a", ".", "..", "-x", ".x", "a b", "a*", "a\0", "é", "/", "//", "/?",
        "/usr//bin", "/usr/bin//",
        "/usr/../bin/", "/proc/self/exe", "/dev/", "/sys/x", "~/bin/x", "node\u{600}?", "a\n",
        String(repeating: "a", count: 256),
    ])
    func `every other program is refused`(text: String) {
        #expect(throws: ValueError.self) { try ProgramRule.parse(text) }
    }
}
