import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct ProgramResolverTests {
    @Test func `a program brings its loader, its libraries and the symlinks to them, and nothing else`() throws {
        let closure = try resolve(["env"], ["env"])
        #expect(closure.commandPath == "/usr/bin/env")
        #expect(closure.programs == [ResolvedProgram(name: "env", path: "/usr/bin/env", realPath: "/usr/bin/env")])
        #expect(
            closure.files.filter(\.isExecutable).allSatisfy { $0.path == "/usr/bin/env" || $0.path.contains("/ld-") })
        #expect(closure.files.allSatisfy { !$0.isDirectory || $0.path == "/usr/lib/locale/C.utf8" })
        #expect(closure.files.map(\.path) == closure.files.map(\.path).sorted())
        #expect(
            !closure.files.contains { Paths.lastComponent($0.path) == "dash" || Paths.lastComponent($0.path) == "bash" }
        )
        for symlink in closure.symlinks { #expect(try System.readLink(symlink.path) == symlink.target) }
    }

    @Test func `a name that is a symlink is shown as one`() throws {
        let closure = try resolve(["sh"], ["sh", "-c", "true"]) { $0.process.shell = true }
        let program = try #require(closure.programs.first)
        #expect(program.path == "/usr/bin/sh")
        #expect(program.realPath == "/usr/bin/dash" || program.realPath == "/usr/bin/bash")
        #expect(closure.symlinks.contains { $0.path == "/usr/bin/sh" })
        #expect(closure.commandArguments == ["-c", "true"])
    }

    @Test func `a program that is not installed is an error, and one with a question mark is noted`() throws {
        let error = failure { () throws(JailError) in _ = try resolve(["no-such-program"], ["env"]) }
        #expect(
            error?.description
                == "host: program 'no-such-program' of profile 'test' is not installed; install it, or write "
                + "\"no-such-program?\" in process.programs if it may be missing")
        let closure = try resolve(["no-such-program?", "env"], ["env"])
        #expect(closure.missing == ["no-such-program"])
    }

    @Test func `a command that is not listed is denied with the line that would allow it`() throws {
        let error = failure { () throws(JailError) in
            _ = try resolve(["env"], ["sh"]) { $0.name = "offline" }
        }
        #expect(
            error?.description
                == "exec: 'sh' is not in the programs of profile 'offline'; to allow it, make a profile that "
                + "extends it: { extends: \"offline\", process: { programs: [\"sh\"] } }")
        #expect(error?.status == ExitStatus.notExecutable)
    }

    @Test func `a name in a listed directory may lead into what is shown with it`() throws {
        let directory = try System.open("/usr/bin", [.readOnly, .directory])
        // As npm's does; most hosts have one or another.
        var tree = HostTree()
        let names = try System.names(in: directory.borrowed).map { "/usr/bin/\($0.name)" }
        let name = try names.sorted().first { path in
            guard try System.status(path).kind == .symlink, let place = try tree.resolve(path) else { return false }
            return place.path.isInside("/usr/lib") && place.status.kind == .regular && place.status.mode & 0o111 != 0
        }
        guard let name else {
            print("no name in /usr/bin leads into /usr/lib: not tried")
            return
        }
        let closure = try resolve(["/usr/bin/"], [name])
        #expect(closure.commandPath == name)
        #expect(closure.files == (try resolve(["/usr/bin/"], ["env"])).files)
    }

    @Test func `a command that is nowhere ends with 127`() throws {
        let error = failure { () throws(JailError) in _ = try resolve(["env"], ["no-such-program"]) }
        #expect(error?.status == ExitStatus.notFound)
        let path = failure { () throws(JailError) in _ = try resolve(["env"], ["/no/such/program"]) }
        #expect(path?.status == ExitStatus.notFound)
        let optional = failure { () throws(JailError) in _ = try resolve(["lost?"], ["lost"]) }
        #expect(optional?.status == ExitStatus.notFound)
        let data = failure { () throws(JailError) in _ = try resolve(["env"], ["/etc/passwd"]) }
        #expect(data?.status == ExitStatus.notExecutable)
    }

    @Test func `another name of a listed file is not that program`() throws {
        let directory = try TemporaryDirectory()
        // As with busybox, where the name decides what the program does.
        try directory.symlink("other", to: "/usr/bin/env")
        let error = failure { () throws(JailError) in _ = try resolve(["env"], [directory.path + "/other"]) }
        #expect(error?.status == ExitStatus.notExecutable)
        let closure = try resolve(["env"], ["/bin/env"])
        #expect(closure.commandPath == "/bin/env")
        #expect(closure.symlinks.contains { $0.path == "/bin" } || !isThere("/usr/bin"))
    }

    @Test func `a listed path may be given by its last name`() throws {
        #expect(try resolve(["/usr/bin/env"], ["env"]).commandPath == "/usr/bin/env")
    }

    @Test func `relative entries of the search path are left out`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("bin/tool", bytes: SmallElf().bytes, mode: 0o755)
        let error = failure { () throws(JailError) in
            _ = try resolve(["tool"], ["tool"], searchPath: "bin:.", from: directory.path)
        }
        #expect(error?.description.contains("is not installed") == true)
    }

    @Test func `a script brings its interpreter along and says so`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("tool", "#!/usr/bin/env -S perl -w\nprint 1;\n", mode: 0o755)
        let closure = try resolve(["tool"], ["tool"], searchPath: directory.path + ":/usr/bin")
        #expect(closure.shows("/usr/bin/env"))
        #expect(closure.shows("/usr/bin/perl"))
        #expect(closure.notes.contains("'tool' is a script: '/usr/bin/perl' comes along"))
        #expect(closure.commandInterpreters == ["/usr/bin/env", "/usr/bin/perl"])
        let listed = try resolve(["tool", "perl", "env"], ["tool"], searchPath: directory.path + ":/usr/bin")
        #expect(listed.notes.isEmpty)
    }

    @Test func `a script never brings a shell along that the profile does not list`() throws {
        let directory = try TemporaryDirectory()
        let tool = try directory.file("tool", "#!/bin/sh\nexec true\n", mode: 0o755)
        for programs in [["tool"], [tool]] {
            let error = failure { () throws(JailError) in
                _ = try resolve(programs, [tool], searchPath: directory.path)
            }
            #expect(error?.description.contains("is a script for 'sh', which is not in its programs") == true)
        }
        try directory.file("env", "#!/usr/bin/env bash\n", mode: 0o755)
        let closure = try resolve(["env"], ["env"], searchPath: directory.path + ":/usr/bin")
        #expect(closure.commandPath == "/usr/bin/env")
        #expect(closure.notes.contains { $0.contains("passed over") })
        let granted = try resolve(["tool", "sh"], ["tool"], searchPath: directory.path + ":/usr/bin")
        #expect(granted.commandPath == tool)
        #expect(granted.hasSymlink("/bin", "usr/bin"))
    }

    @Test func `a chain of scripts is followed as far as the kernel follows it`() throws {
        let directory = try TemporaryDirectory()
        var interpreter = "/usr/bin/env"
        for depth in 0..<7 {
            interpreter = try directory.file("script\(depth)", "#!\(interpreter)\n", mode: 0o755)
        }
        #expect(throws: Never.self) { _ = try resolve([directory.path + "/script2"], [directory.path + "/script2"]) }
        let error = failure { () throws(JailError) in _ = try resolve([interpreter], [interpreter]) }
        #expect(error?.description.contains("script for a script") == true)
    }

    @Test func `a file that is no program is refused`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("text", "hello\n", mode: 0o755)
        let error = failure { () throws(JailError) in _ = try resolve([path], [path]) }
        #expect(error?.description.contains("neither an ELF file nor a script") == true)
    }

    @Test(.enabled(if: System.effectiveUserID == 0))
    func `a program that the payload cannot reach is passed over`() throws {
        let directory = try TemporaryDirectory()
        try directory.directory("closed", mode: 0o700)
        try directory.file("closed/env", bytes: SmallElf().bytes, mode: 0o755)
        let closure = try resolve(["env"], ["env"], searchPath: directory.path + "/closed:/usr/bin")
        #expect(closure.commandPath == "/usr/bin/env")
    }

    @Test func `a directory of programs is shown as a whole`() throws {
        let closure = try resolve(["/usr/bin/"], ["sh"])
        #expect(closure.commandPath == "/usr/bin/sh")
        #expect(closure.files.contains { $0.path == "/usr/bin" && $0.isDirectory && $0.isExecutable })
        #expect(closure.files.contains { $0.path == "/usr/lib" && $0.isDirectory && !$0.isExecutable })
        #expect(!closure.files.contains { $0.path.isInside("/usr/sbin") })
        #expect(!closure.files.contains { $0.path.hasPrefix("/usr/lib/") })
        #expect(closure.hasSymlink("/bin", "usr/bin"))
        #expect(!closure.symlinks.contains { $0.path == "/usr/bin/sh" })
        let error = failure { () throws(JailError) in _ = try resolve(["/usr/bin/"], ["ldconfig"]) }
        #expect(error?.status == ExitStatus.notExecutable)
    }

    @Test func `with the host's root an empty list means every program of it`() throws {
        let closure = try resolve([], ["sh"]) { $0.filesystem.root = .host }
        #expect(closure.commandPath == "/usr/bin/sh")
        #expect(closure.files.contains { $0.path == "/usr" && $0.isDirectory })
        #expect(!closure.files.contains { ["/etc/passwd", "/etc/shadow", "/etc", "/home", "/root"].contains($0.path) })
        let error = failure { () throws(JailError) in
            _ = try resolve(["env"], ["sh"]) { $0.filesystem.root = .host }
        }
        #expect(error?.status == ExitStatus.notExecutable)
    }

    @Test func `a prepared root is resolved inside of itself`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("usr/bin/tool", bytes: SmallElf().bytes, mode: 0o755)
        try directory.symlink("bin", to: "/usr/bin")
        try directory.symlink("usr/bin/outside", to: "../../../../../../usr/bin/env")
        try directory.directory("proc")
        func find(_ programs: [String], _ name: String) throws(JailError) -> ProgramClosure {
            try resolve(programs, [name, "x"]) { $0.filesystem.root = .directory(directory.path) }
        }
        #expect(try find([], "tool").commandPath == "/usr/bin/tool")
        #expect(try find([], "/bin/tool").commandPath == "/bin/tool")
        #expect(try find([], "tool").symlinks == [VisibleSymlink(path: "/bin", target: "/usr/bin")])
        #expect(failure { () throws(JailError) in _ = try find([], "outside") }?.status == ExitStatus.notFound)
        #expect(failure { () throws(JailError) in _ = try find(["tool"], "env") }?.status == ExitStatus.notFound)
        try directory.file("usr/bin/more", bytes: SmallElf().bytes, mode: 0o755)
        #expect(failure { () throws(JailError) in _ = try find(["tool"], "more") }?.status == ExitStatus.notExecutable)
        let trick = "/usr/bin/../bin/more"
        #expect(failure { () throws(JailError) in _ = try find(["/usr/bin/"], trick) }?.status == ExitStatus.notFound)
        #expect(try PreparedRoot.entries(of: directory.path) == ["bin", "usr"])
    }
}

/// What the payload can write is not what it may execute.
@Suite struct WritableProgramTests {
    private func resolve(
        _ programs: [String], _ command: [String], searchPath: String = "/usr/bin", workspace: String? = nil,
        change: (inout Profile) -> Void
    ) throws(JailError) -> ProgramClosure {
        let surroundings = ProgramResolver.Surroundings(
            searchPath: searchPath, workingDirectory: "/", reach: testReach, boundaries: Boundaries(homes: []),
            workspace: workspace)
        var resolver = ProgramResolver(
            profile: profile(programs, change), surroundings: surroundings, tree: HostTree())
        return try resolver.resolveAll(command: command)
    }

    @Test(arguments: [WorkspaceAccess.readWrite, .readOnly])
    func `the search passes over what lies in the workspace`(access: WorkspaceAccess) throws {
        let directory = try TemporaryDirectory()
        try directory.file("bin/env", bytes: SmallElf().bytes, mode: 0o755)
        try directory.symlink("bin/perl", to: "/usr/bin/env")
        for (programs, name) in [(["env"], "env"), (["perl"], "perl"), (["/usr/bin/"], "env")] {
            let closure = try resolve(
                programs, [name], searchPath: directory.path + "/bin:/usr/bin", workspace: directory.path
            ) { $0.filesystem.workspace = access }
            #expect(closure.commandPath == "/usr/bin/\(name)")
            #expect(closure.notes.contains { $0.contains("passed over '\(directory.path)/bin/\(name)'") })
        }
        try directory.file("bin/only", bytes: SmallElf().bytes, mode: 0o755)
        let error = failure { () throws(JailError) in
            _ = try resolve(["only"], ["only"], searchPath: directory.path + "/bin", workspace: directory.path) {
                $0.filesystem.workspace = access
            }
        }
        #expect(error?.description.contains("program 'only' lies in '\(directory.path)'") == true)
    }

    @Test func `a program, a directory of programs and a package that can be written to are refused`() throws {
        let directory = try TemporaryDirectory()
        let tool = try directory.file("app/bin/tool", bytes: try RuntimeTests().selfContained(), mode: 0o755)
        let script = try directory.file("app/index.pl")
        try directory.file("app/package.json", "{}")
        try directory.directory("app/data")
        func message(_ programs: [String], _ command: [String], _ writable: String) -> String? {
            failure { () throws(JailError) in
                _ = try resolve(programs, command) {
                    $0.process.shell = true
                    $0.filesystem.write = [BindRule(source: directory.path + writable, target: "/w")]
                }
            }?.description
        }
        #expect(
            message([tool], [tool], "/app")?.contains("lies in '\(directory.path)/app', which the jail may") == true)
        #expect(message([tool], [tool], "/app/bin/tool")?.contains("could be executed") == true)
        #expect(message([directory.path + "/app/bin/"], [tool], "/app/bin")?.contains("could be executed") == true)
        #expect(
            message(["perl"], ["perl", script], "/app/data")?.contains("holds '\(directory.path)/app/data'") == true)
        // Where the payload may run what it writes, this takes nothing away from anybody.
        #expect(throws: Never.self) {
            _ = try resolve([tool], [tool]) {
                $0.process.shell = true
                $0.filesystem.executeWritable = true
                $0.filesystem.write = [BindRule(source: directory.path, target: "/w")]
            }
        }
    }

    @Test func `a script in the writable workspace is shown through the workspace alone`() throws {
        let directory = try TemporaryDirectory()
        let script = try directory.file("index.pl")
        try directory.file("package.json", "{}")
        let closure = try resolve(["perl"], ["perl", script], workspace: directory.path) {
            $0.filesystem.workspace = .readWrite
        }
        #expect(closure.entry == nil)
        #expect(closure.commandArguments == ["/workspace/index.pl"])
    }
}
