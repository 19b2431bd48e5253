import Foundation
import Glibc
import Testing

/// A secret from the store to an origin that wants it, by way of a jail that never has it.
@Suite(.needs("curl", "python3", "openssl"), .needsRoot) struct SecretUseTests {
    private static let value = "ghp_Zq8vT3nW5yB1kD7mP9rS2uX4aaH4kL0sVe2q"
    private static let other = "ghp_Rt6yUi8oPz1xCv5bNm3aSd7fGh9jKl2qWe4r"

    /// A caller with an empty store of its own, and an origin that it knows by name.
    private struct Place {
        var jail: Jail
        let origin: SecureOrigin
        let state: String
        let workspace: String

        /// - Parameter signing: also binds an access key, of which other.example is told.
        init(_ caller: Caller, source: String = "", signing: Bool = false) throws {
            origin = try SecureOrigin.shared.get()
            let url = "hosts: ['origin.example'], ports: [\(origin.port)]"
            let key =
                "{ name: 'aws', env: 'AWS', hosts: ['other.example'], ports: [\(origin.port)], "
                + "inject: { sigv4: { service: 'sts', region: 'eu-1' } } }"
            jail = try Jail(
                caller,
                Profiles.session(
                    """
                    network: {
                      allow: [{ hosts: ['origin.example', 'other.example'], ports: [\(origin.port)], methods: ['GET'] }],
                      allowPrivate: ['127.0.0.1/32'], upstream: { trust: '\(origin.trust)' },
                    },
                    secrets: [{ name: 'github', env: 'GH_TOKEN', \(url), inject: 'bearer'\(source) }\(signing ? ", \(key)" : "")]
                    """))
            workspace = try Scratch.directory("workspace", mode: 0o700)
            jail.hostChange = "mount --bind '\(origin.hosts)' /etc/hosts"
            // Root's state is the host's own: a directory of the test's stands in its place.
            if caller == .root {
                state = try Scratch.directory("state", owner: 0, mode: 0o700)
                jail.hostChange += " && mkdir -p /var/lib/clawjail && mount --bind '\(state)' /var/lib/clawjail"
            } else {
                state = jail.stateDirectory
            }
            try origin.expect([value], of: jail.name)
        }

        func secret(_ words: String..., input: String? = nil) throws -> Finished {
            var jail = jail
            if let input {
                jail.standardInput = Scratch.file("input")
                try Scratch.write(input, to: jail.standardInput)
            }
            return try jail.start(words: ["secret"] + words).wait(30)
        }

        /// `ask HOST` and `await FILE` for scripts inside.
        func start(_ script: String, awaiting word: String = "up") throws -> Running {
            let functions = """
                ask() { curl -s -m 10 -w ' %{http_code}\\n' -H "Authorization: Bearer $GH_TOKEN" \
                "https://$1:\(origin.port)/\(jail.name)/$2"; }
                await() { while [ ! -e "/workspace/$1" ]; do sleep 0.05; done; }

                """
            return try jail.startAndAwait(
                word, ["--workspace", workspace], command: ["/bin/sh", "-c", functions + script])
        }

        func go(_ step: String) throws { try Scratch.write("", to: "\(workspace)/\(step)") }

        var log: String {
            get throws {
                let directory = "\(state)/audit/\(jail.name)"
                return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map {
                    try String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)
                }.joined()
            }
        }

        /// Neither in files of clawjail's own nor in anything that processes show of themselves.
        func expectHidden(_ value: String, below supervisor: Int32? = nil) throws {
            let text = Data(value.utf8)
            let base = URL(fileURLWithPath: state)
            let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: [.isRegularFileKey])
            for case let file as URL in files?.allObjects ?? []
            where try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
                #expect(try Data(contentsOf: file).range(of: text) == nil, "\(file.path)")
            }
            for pid in try supervisor.map({ [$0] + (try Tree.descendants(of: $0)) }) ?? [] {
                for name in ["environ", "cmdline"] {
                    let shown = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/\(name)"))) ?? Data()
                    #expect(shown.range(of: text) == nil, "\(name) of \(pid)")
                }
            }
        }

        /// Nowhere in the memory of what runs in the jail, init included; unlike `known`, which shows that one would be seen.
        func expectNotInMemory(_ value: String, unlike known: String, of supervisor: Int32) throws {
            let inits = Tree.children(of: supervisor).filter { Self.name($0) == "jail-init" }
            #expect(inits.count == 1)
            var looked = 0
            var seen = 0
            for pid in try inits + inits.flatMap({ try Tree.descendants(of: $0) }) {
                // What a shell starts may end meanwhile.
                guard let memory = try? Self.memory(of: pid), memory.count > 10_000 else { continue }
                looked += 1
                #expect(memory.range(of: Data(value.utf8)) == nil, "\(pid)")
                if memory.range(of: Data(known.utf8)) != nil { seen += 1 }
            }
            #expect(looked >= 2 && seen >= 1)
        }

        private static func name(_ pid: Int32) -> String {
            (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.trimmingCharacters(in: .newlines) ?? ""
        }

        /// What can be written to in it.
        private static func memory(of pid: Int32) throws -> Data {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(pid)/mem"))
            var all = Data()
            for line in try String(contentsOfFile: "/proc/\(pid)/maps", encoding: .utf8).split(separator: "\n") {
                let words = line.split(separator: " ")
                let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
                guard words[1].hasPrefix("rw"), ends.count == 2, ends[1] < 1 << 63 else { continue }
                try file.seek(toOffset: ends[0])
                // Pages that were never touched may be more than there is of memory.
                all += (try? file.read(upToCount: min(Int(ends[1] - ends[0]), 64 << 20))) ?? Data()
            }
            return all
        }
    }

    private static func count(_ running: Running) -> Int { running.text.split(separator: "\n").count }

    @Test(arguments: Caller.all) func `a jail uses a secret, sees a placeholder and stars, and misuse is told`(
        caller: Caller
    ) throws {
        let place = try Place(caller)
        try place.jail.run("/bin/true").expectRefusal(78, "secrets: ", "'github'", "clawjail secret set github")
        #expect(try place.secret("set", "github", input: Self.value).status == 0)

        let stars = String(repeating: "*", count: Self.value.utf8.count)
        var placeholders: Set<String> = []
        for _ in 1...2 {
            let running = try place.start(
                "echo $GH_TOKEN; ask origin.example x; ask other.example x | tail -c 5; env | grep -c GH_; echo up; await go"
            )
            try place.expectHidden(Self.value, below: running.pid)
            let shown = String(running.text.prefix { $0 != "\n" })
            try place.expectNotInMemory(Self.value, unlike: shown, of: running.pid)
            let exec = try place.jail.start(
                words: ["exec", place.jail.name, "--", "/bin/sh", "-c", "echo $GH_TOKEN"]
            ).wait(20)
            let plan = try place.jail.start(words: ["inspect", place.jail.name, "--json"]).wait(20)
            try place.go("go")
            let finished = try running.wait()
            unsafe unlink("\(place.workspace)/go")
            let lines = finished.lines
            try #require(lines.count == 5, "\(finished.text) \(finished.errors)")
            #expect(
                lines[0].hasPrefix("ghp_") && lines[0].utf8.count == Self.value.utf8.count && lines[0] != Self.value)
            #expect(lines[1] == "said Bearer \(stars) 200")
            #expect(lines[2] == " 403" && lines[3] == "1", "\(lines)")
            #expect(exec.lines == [lines[0]], "\(exec.errors)")
            #expect(plan.text.contains("GH_TOKEN") && !plan.text.contains(lines[0]), "\(plan.errors)")
            placeholders.insert(lines[0])
        }
        #expect(placeholders.count == 2)
        let log = try place.log
        for word in [#""secretNames":["github"]"#, #""event":"secret-used""#, #""event":"secret-misuse""#] {
            #expect(log.contains(word), "\(word)")
        }
        #expect(placeholders.allSatisfy { !log.contains($0) })
        try place.expectHidden(Self.value)
    }

    @Test(arguments: Caller.all)
    func `a new value counts at once, over a killed gateway, and a removed one never again`(
        caller: Caller
    ) throws {
        let place = try Place(caller)
        #expect(try place.secret("set", "github", input: Self.value).status == 0)
        let running = try place.start(
            "ask origin.example 1; echo up; await a; ask origin.example 2; await b; ask origin.example 3; await c; "
                + "ask origin.example 4")
        try place.origin.expect([Self.other], of: place.jail.name)
        let rotated = try place.secret("rotate", "github", input: Self.other)
        #expect(rotated.status == 0 && rotated.errors.contains("uses the new value"), "\(rotated.errors)")
        try place.go("a")
        #expect(eventually { Self.count(running) >= 3 })
        let gateway = try WayOutTests.processes(of: running.pid).gateway
        kill(gateway, SIGKILL)
        #expect(eventually { (try? WayOutTests.processes(of: running.pid))?.gateway ?? gateway != gateway })
        try place.go("b")
        #expect(eventually { Self.count(running) >= 4 })
        let removed = try place.secret("remove", "github")
        #expect(removed.errors.contains("has lost"), "\(removed.errors)")
        try place.go("c")
        let finished = try running.wait()
        // A denial ends with a line's end of its own.
        let codes = finished.lines.compactMap { line in line.split(separator: " ").last.flatMap { Int($0) } }
        #expect(codes == [200, 200, 200, 403], "\(finished.text) \(finished.errors)")
        for value in [Self.value, Self.other] { #expect(!finished.text.contains(value)) }
        let log = try place.log
        for word in [#""outcome":"renewed""#, #""outcome":"removed""#, #""newValue":true"#] {
            #expect(log.contains(word), "\(word)")
        }
        for value in [Self.value, Self.other] { try place.expectHidden(value) }
    }

    @Test(arguments: Caller.all)
    func `a refresh token is exchanged outside, and the one after it is known to a later gateway`(caller: Caller) throws
    {
        let origin = try SecureOrigin.shared.get()
        let endpoint = "exchange-\(caller)"
        let tokens = ["at-of-the-first-gateway-alone", "at-of-the-second-gateway-alone"]
        let place = try Place(
            caller,
            source: ", exchange: { oauth: { host: 'other.example', port: \(origin.port), path: '/\(endpoint)/token', "
                + "clientId: 'me' } }")
        try origin.expect([tokens[0], Self.value, Self.other], of: endpoint)
        try origin.expect(tokens, of: place.jail.name)
        #expect(try place.secret("set", "github", input: Self.value).status == 0)
        let running = try place.start("ask origin.example 1; echo up; await go; ask origin.example 2")
        for value in [Self.value, Self.other, tokens[0]] { try place.expectHidden(value, below: running.pid) }
        try origin.expect([tokens[1], Self.other, Self.other], of: endpoint)
        let gateway = try WayOutTests.processes(of: running.pid).gateway
        kill(gateway, SIGKILL)
        #expect(eventually { (try? WayOutTests.processes(of: running.pid))?.gateway ?? gateway != gateway })
        try place.go("go")
        let finished = try running.wait()
        #expect(
            finished.lines.filter { $0 != "up" }
                == tokens.map { "said Bearer \(String(repeating: "*", count: $0.utf8.count)) 200" },
            "\(finished.text) \(finished.errors)")
        #expect(finished.errors.contains("gave another refresh token"), "\(finished.errors)")
        let log = try place.log
        for word in [#""event":"secret-exchanged""#, #""event":"secret-rotated""#] { #expect(log.contains(word)) }
        for value in [Self.value, Self.other] + tokens {
            try place.expectHidden(value)
            #expect(!(finished.text + finished.errors).contains(value))
        }
    }

    @Test(arguments: Caller.all) func `a variable that holds a secret is seen nowhere in the jail`(caller: Caller)
        throws
    {
        var place = try Place(caller, source: ", source: { env: 'CALLERS' }")
        place.jail.environment["CALLERS"] = Self.value
        let running = try place.start("ask origin.example x; env | grep -c CALLERS; echo up; await go")
        try place.expectHidden(Self.value, below: running.pid)
        try place.expectNotInMemory(Self.value, unlike: "GH_TOKEN=", of: running.pid)
        try place.go("go")
        let finished = try running.wait()
        #expect(finished.lines.first?.hasSuffix(" 200") == true, "\(finished.text) \(finished.errors)")
        #expect(finished.lines.dropFirst().first == "0")
    }

    @Test(arguments: Caller.all) func `a file is read again when a jail is told to`(caller: Caller) throws {
        let file = Scratch.file("token")
        try Scratch.write(Self.value + "\n", to: file, mode: 0o600)
        let user = try Host.user.get()
        if caller == .user { unsafe chown(file, user.uid, user.gid) }
        let place = try Place(caller, source: ", source: { file: '\(file)' }")
        let running = try place.start("ask origin.example 1; echo up; await a; ask origin.example 2")
        try place.origin.expect([Self.other], of: place.jail.name)
        try Scratch.write(Self.other, to: file, mode: 0o600)
        let reloaded = try place.secret("reload", place.jail.name)
        #expect(reloaded.status == 0 && reloaded.errors.contains("has read its secrets"), "\(reloaded.errors)")
        try Scratch.write("", to: file, mode: 0o600)
        let failed = try place.secret("reload", place.jail.name)
        #expect(failed.status == 1 && failed.errors.contains("empty"), "\(failed.errors)")
        try place.go("a")
        let finished = try running.wait()
        #expect(finished.lines.filter { $0 != "up" }.map { $0.suffix(4) } == [" 200", " 200"], "\(finished.text)")
    }

    private static let keyID = "AKIAIOSFODNN7EXAMPLE"
    private static let keySecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    @Test(arguments: Caller.all) func `requests are signed anew, and a service says whether it takes a secret`(
        caller: Caller
    ) throws {
        let place = try Place(caller, signing: true)
        #expect(try place.secret("set", "github", input: Self.value).status == 0)
        #expect(try place.secret("set", "aws", input: "no-access-key-but-long-enough").status == 0)
        try place.jail.run("/bin/true").expectRefusal(78, "'aws' must be an access key in one line, ID:SECRET")
        let key = "\(Self.keyID):\(Self.keySecret)"
        #expect(try place.secret("rotate", "aws", "--grace", "0s", input: key).status == 0)

        let curl = "curl -s -m 10 --aws-sigv4 aws:amz:eu-1:sts -u $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"
        let running = try place.start(
            "echo $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY; \(curl) https://other.example:\(place.origin.port)/; echo; "
                + "echo up; await go")
        try place.expectHidden(Self.keySecret, below: running.pid)
        try place.go("go")
        try running.wait()
        let lines = running.text.split(separator: "\n")
        let inside = lines[0].split(separator: " ")
        #expect(inside.map(\.utf8.count) == [20, 40] && inside[0].hasPrefix("AKIA") && inside[0] != Self.keyID)
        #expect(lines[1].hasPrefix("said AWS4-HMAC-SHA256 Credential=\(Self.keyID)/"), "\(running.text)")

        let path = "/\(place.jail.name)/x"
        let taken = try place.secret("test", "github", "--profile", place.jail.profile, "--path", path)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(taken.text.hasSuffix("github: origin.example takes it (200)\n"))
        let refused = try place.secret("test", "aws", "--profile", place.jail.profile)
        #expect(refused.status == 123 && refused.text.contains("aws: can be opened"))
        #expect(refused.errors.contains("other.example does not take 'aws': it answers 401"))
        try place.secret("test", "other", "--profile", place.jail.profile).expectRefusal(64, "binds no secret 'other'")
        for value in [Self.value, Self.keySecret] { try place.expectHidden(value) }
    }
}
