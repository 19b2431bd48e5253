import Foundation
import Glibc
import Testing

@Suite struct RootTests {
    /// A small tree: dash and a few tools, with the libraries that they need.
    private static let tree = Result { () throws -> String in
        let root = try Scratch.directory("rootfs")
        let script = """
            set -e; cd "$1"; mkdir -p bin lib lib64 etc usr/bin usr/lib proc dev tmp data workspace run
            echo 'prepared' > etc/made-by; ln -s made-by etc/link; chmod 4755 /dev/null 2>/dev/null || true
            for p in sh ls cat id touch; do
              real=$(readlink -f "$(command -v $p)"); cp "$real" bin/$p
              ldd "$real" | grep -o '/[^ ]*' | while read -r lib; do mkdir -p ".$(dirname "$lib")"; cp -L "$lib" ".$lib"; done
            done
            """
        let finished = try shell(
            script.replacingOccurrences(of: "; chmod 4755 /dev/null 2>/dev/null || true", with: ""), root)
        guard finished.status == 0 else { throw HarnessError(finished.errors) }
        return root
    }

    private func jail(_ caller: Caller, _ more: String = "") throws -> Jail {
        try Jail(
            caller,
            "{ process: { shell: true }, filesystem: { root: { directory: '\(try Self.tree.get())' }, tmp: '4M' \(more) }, limits: { memory: '64M' } }"
                .json)
    }

    @Test(arguments: Caller.all) func `a prepared tree is the root`(caller: Caller) throws {
        let finished = try jail(caller).script(
            "ls /bin; cat /etc/link; id -u; touch /etc/x 2>/dev/null || echo read-only; touch /tmp/x && echo tmp; ls /usr/bin"
        )
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(finished.lines == ["cat", "id", "ls", "sh", "touch", "prepared", "1000", "read-only", "tmp"])
    }

    @Test(arguments: Caller.all) func `a prepared tree has the jail's own /proc and /dev`(caller: Caller) throws {
        let finished = try jail(caller).script("ls /dev; cat /proc/self/comm; ls -d /proc/[0-9]* | cat")
        #expect(finished.lines.contains("null"))
        #expect(finished.lines.contains("cat"))
        #expect(!finished.lines.contains("/proc/1"))
    }

    @Test(arguments: Caller.all) func `the host's root shows /usr, and not homes and keys`(caller: Caller) throws {
        let jail = try Jail(
            caller, "{ extends: 'session', process: { programs: ['PROBE'] }, filesystem: { root: 'host' } }".json)
        let probe = try Probe.inside(
            jail,
            arguments: [
                "--read", "/usr/bin/perl", "--read", "/etc/shadow", "--list", "/root", "--list", "/var/lib", "--list",
                "/run",
            ])
        #expect(probe.result("read /usr/bin/perl") == "ok")
        #expect(probe.result("read /etc/shadow") != "ok")
        #expect(probe.result("create in /usr") == "errno EROFS")
        #expect(probe.result("create in /etc") == "errno EROFS")
        #expect(probe.listing("/root") == nil)
        #expect(probe.listing("/run") == [])
        #expect(probe.listing("/home") == ["claw"])
    }

    @Test(arguments: Caller.all) func `a program and a script below the host's /tmp can be shown`(caller: Caller) throws
    {
        let directory = "/tmp/" + Scratch.unique("clawjail-e2e")
        unsafe mkdir(directory, 0o755)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try shell("cp /bin/ls '\(directory)/tool'")
        try Scratch.write("echo from the script; ls /tmp", to: "\(directory)/script.sh")
        let jail = try Jail(caller, "{ extends: 'session', process: { programs: ['\(directory)/tool'] } }".json)
        #expect(try jail.run("\(directory)/tool", "/").status == 0)
        let finished = try jail.run("/bin/bash", "\(directory)/script.sh")
        #expect(finished.lines == ["from the script", (directory as NSString).lastPathComponent])
    }
}
