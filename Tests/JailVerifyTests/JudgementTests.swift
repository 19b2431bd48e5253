import JailCore
import JailPolicy
import JailVerify
import TestSupport
import Testing

@testable import JailPlan

/// Each promise is seen to be broken when the one thing that it is about is otherwise.
@Suite struct JudgementTests {
    @Test func `a jail that shows all that its plan promises holds`() throws {
        #expect(try PaperEvidence(PaperPlan.make()).failed() == [])
        #expect(try PaperEvidence(PaperPlan.online()).failed() == [])
    }

    @Test func `every attempt and every fact counts: with another result its check fails, and no other`() throws {
        for plan in [try PaperPlan.make(), try PaperPlan.online()] {
            let base = PaperEvidence(plan)
            for check in base.list.checks {
                for expectation in check.expectations {
                    var changed = base
                    let other = ["ok", "errno EPERM", "signal KILL"].first { !expectation.accepted.contains($0) }
                    changed.set(expectation, try #require(other))
                    let failed = try changed.failed()
                    #expect(failed.contains(check.id), "\(check.id): \(expectation)")
                    // Two checks may look at the same thing.
                    let others = base.list.checks.filter {
                        $0.expectations.contains { $0.subject == expectation.subject }
                    }
                    #expect(failed.isSubset(of: others.map(\.id)), "\(check.id): \(expectation)")
                }
            }
        }
    }

    @Test func `what was not tried does not hold`() throws {
        let base = PaperEvidence(try PaperPlan.online())
        for check in base.list.checks {
            for expectation in check.expectations {
                var changed = base
                switch expectation.subject {
                case .attempt(let name): changed.report[["attempts", name, "result"]] = nil
                case .fact(let path): changed.report[path] = nil
                }
                #expect(try changed.failed().contains(check.id), "\(check.id): \(expectation)")
            }
        }
        let nothing = Evidence(inside: try PaperReport().report(), outside: OutsideFacts())
        for check in base.list.checks where check.judgement(nothing).state != .notTried {
            #expect(check.judgement(nothing).state == .notHeld, "\(check.id)")
        }
    }

    typealias Change = @Sendable (inout PaperEvidence) -> Void
    struct Mutation: Sendable, CustomTestStringConvertible {
        var id: String
        var what: String
        var change: Change
        var testDescription: String { "\(id): \(what)" }

        init(_ id: String, _ what: String, _ change: @escaping Change) {
            self.id = id
            self.what = what
            self.change = change
        }
    }

    static let mutations: [Mutation] = [
        Mutation("who.host", "root on the host") { $0.outside.users[3] = "0" },
        Mutation("who.host", "another group") { $0.outside.groups[0] = "0" },
        Mutation("who.host", "its process was not found") { $0.outside.users = [] },
        Mutation("who.privileges", "secure bits") { $0.report[["identity", "secureBits"]] = 0 },
        Mutation("host.namespaces", "the host's network") { $0.report[["namespaces", "net"]] = "net:[1]" },
        Mutation("host.namespaces", "no time namespace seen") { $0.report[["namespaces", "time"]] = nil },
        Mutation("host.namespaces", "the host's not seen") { $0.outside.namespaces["pid"] = nil },
        Mutation("host.processes", "init is seen") { $0.report[["pids"]] = .array(["1", "2"]) },
        Mutation("start.clean", "a descriptor of the caller's") {
            $0.report[["descriptors"]] = .array([0, 1, 2, 5].map { ["number": .number($0)] })
        },
        Mutation("start.environment", "a variable more") { $0.report[["environment", "SECRET"]] = "x" },
        Mutation("start.environment", "a variable less") { $0.report[["environment", "HOME"]] = nil },
        Mutation("start.environment", "another value") { $0.report[["environment", "HOME"]] = "/root" },
        Mutation("host.facts", "the host's boot id") { $0.outside.bootID = "11111111-2222-3333-4444-555555555555" },
        Mutation("host.facts", "the host's load") { $0.report[["host", "load"]] = "1.20 0.00 0.00 1/1 1" },
        Mutation("files.homes", "another's home") { $0.report[["directories", "/home"]] = .array(["ann", "claw"]) },
        Mutation("files.mounts", "a writable mount more") { $0.add(mount: "/usr/lib", "rw,nosuid,nodev,noexec") },
        Mutation("files.mounts", "the root is writable") { $0.replace(mount: "/", "rw,nosuid,nodev") },
        Mutation("files.mounts", "suid") { $0.replace(mount: "/usr/bin/node", "ro,nodev") },
        Mutation("files.mounts", "dev") { $0.replace(mount: "/data", "rw,nosuid,noexec") },
        Mutation("files.mounts", "exec") { $0.replace(mount: "/tmp", "rw,nosuid,nodev") },
        Mutation("files.mounts", "shared with the host") {
            $0.replace(mount: "/data", "rw,nosuid,nodev,noexec", propagation: "shared:7")
        },
        Mutation("files.review", "the host's directory itself") {
            $0.replace(mount: "/workspace", "rw,nosuid,nodev,noexec")
        },
        Mutation("files.mounts", "one is missing") { $0.replace(mount: "/tmp", nil) },
        Mutation("limits.size.tmp", "larger than planned") { $0.report[["sizes", "/tmp"]] = .number(8 << 20) },
        Mutation("limits.size.dev.shm", "larger than planned") { $0.report[["sizes", "/dev/shm"]] = .number(8 << 20) },
        Mutation("limits.size.home.claw", "larger") { $0.report[["sizes", "/home/claw"]] = .number(8 << 20) },
        Mutation("programs.listed", "a shell can be executed") {
            $0.report[["programs", "paths"]] = .array(["/usr/bin/node", "/usr/bin/sh"])
        },
        Mutation("programs.listed", "a listed one cannot be") { $0.report[["programs", "paths"]] = .array([]) },
        Mutation("programs.listed", "not everything was looked at") { $0.report[["programs", "complete"]] = false },
        Mutation("programs.apparmor", "unconfined") { $0.report[["process", "appArmor"]] = "unconfined" },
        Mutation("programs.apparmor", "only told of") { $0.report[["process", "appArmor"]] = "claw (complain)" },
        Mutation("calls.filter", "one filter") { $0.report[["process", "seccompFilters"]] = "1" },
        Mutation("limits.memory", "no limit") { $0.outside.group?.memory = nil },
        Mutation("limits.memory", "a higher limit") { $0.outside.group?.memory = 128 << 20 },
        Mutation("limits.processes", "a higher limit") { $0.outside.group?.processes = 22 },
        Mutation("limits.cpus", "no limit") { $0.outside.group?.milliCPUs = nil },
        Mutation("limits.openFiles", "a higher limit") {
            $0.report[["process", "limits", "openFiles"]] = "100 200"
        },
        Mutation("net.names", "a denied name exists") {
            $0.report[["attempts", "resolve clawjail-verify.internal", "value"]] = 0
        },
        Mutation("net.special", "the metadata service answers") { $0.answer("GET http://169.254.169.254/", 200) },
        Mutation("net.special", "the host's loopback answers") { $0.answer("GET http://127.0.0.1:1/", 502) },
        Mutation("net.special", "the verifier was reached") { $0.outside.arrivals = 1 },
        Mutation("net.requests", "POST goes through") { $0.answer("POST http://", 200) },
        Mutation("net.requests", "no remedy") { $0.answer("POST http://", 403, "HTTP/1.1 403") },
        Mutation("net.publish", "not reached") { $0.outside.published[0].isReached = false },
        Mutation("net.publish", "reached elsewhere") { $0.outside.published[0].isReachedElsewhere = true },
        Mutation("net.publish", "not tried") { $0.outside.published = [] },
        Mutation("log.intact", "changed") { $0.outside.log?.isIntact = false },
        Mutation("log.intact", "no launch in it") { $0.outside.log?.events = ["started"] },
        Mutation("log.denials", "one is not there") { $0.outside.log?.denied.remove("name clawjail-verify.internal") },
    ]

    @Test(arguments: mutations) func `a broken promise is seen`(mutation: Mutation) throws {
        var evidence = PaperEvidence(try PaperPlan.online())
        #expect(try evidence.failed() == [])
        mutation.change(&evidence)
        #expect(try evidence.failed() == [mutation.id])
    }

    @Test func `every check is broken by something`() throws {
        let byTable = Set(Self.mutations.map(\.id))
        for plan in [try PaperPlan.make(), try PaperPlan.online()] {
            let trial = Trial()
            for check in CheckList(plan, trial).checks {
                let empty = Evidence(inside: try PaperReport().report(), outside: OutsideFacts())
                guard check.judgement(empty).state != .notTried else { continue }
                #expect(byTable.contains(check.id) || !check.expectations.isEmpty, "\(check.id)")
            }
        }
    }

    @Test func `what the profile allows is not demanded to be refused`() throws {
        let plan = try PaperPlan.make { $0.seccomp.additional = ["keyctl", "unshare", "clone3"] }
        let names = CheckList(plan, Trial()).checks.flatMap(\.expectations).map(\.subject)
        for name in ["keyctl", "unshare user", "clone3", "clone3 newuser"] { #expect(!names.contains(.attempt(name))) }
        #expect(names.contains(.attempt("bpf")))
        #expect(names.contains(.attempt("clone newuser")))
    }

    @Test func `what was left out, and what would leave the host, counts as neither`() throws {
        let plan = try PaperPlan.make { plan in
            plan.leftOut = [LeftOut(protection: .cgroup, reason: "none"), LeftOut(protection: .groups, reason: "none")]
            plan.limits.cgroup = nil
        }
        var evidence = PaperEvidence(plan)
        evidence.outside.group = nil
        #expect(try evidence.failed() == [])
        let online = PaperEvidence(try PaperPlan.online())
        let verification = Verification(
            online.list, Evidence(inside: try online.report.report(), outside: online.outside), subject: "paper")
        #expect(
            verification.rows.filter { $0.judgement.state == .notTried }.map(\.check.id) == [
                "limits.review", "net.allowed",
            ])
        #expect(verification.holds)
    }

    @Test func `nothing that the policy allows is asked, but by --online`() throws {
        for methods in [["GET"], ["GET", "POST"], ["HEAD"]] {
            let plan = try PaperPlan.online(methods)
            let policy = NetworkPolicy(try #require(plan.network.egress).rules)
            for argument in CheckList(plan, Trial()).arguments where argument.contains(" http://") {
                let words = argument.split(separator: " ")
                let authority = words[2].dropFirst("http://".count).prefix { $0 != "/" }
                let name = authority.split(separator: ":")[0]
                let host = HostName(user: String(name)).map(Host.name) ?? IPAddress(String(name)).map(Host.address)
                var question = NetworkQuestion(host: try #require(host))
                question.method = String(words[1])
                question.scheme = .http
                question.port = 80
                question.path = CanonicalPath(target: String(words[2].dropFirst("http://".count + authority.count)))
                if case .allow = policy.decide(question) { Issue.record("it would leave the host: \(argument)") }
            }
        }
        var trial = Trial()
        trial.online = true
        #expect(CheckList(try PaperPlan.online(), trial).arguments.contains { $0.hasSuffix(" example.com") })
    }
}

extension PaperEvidence {
    mutating func add(mount target: String, _ options: String) {
        guard case .array(let mounts)? = report[["mounts"]] else { return }
        report[["mounts"]] = .array(mounts + [Self.mount(target, options)])
    }

    /// nil: it is gone.
    mutating func replace(mount target: String, _ options: String?, propagation: String = "") {
        guard case .array(let mounts)? = report[["mounts"]] else { return }
        let others = mounts.filter { mount in
            guard case .object(let members) = mount, case .string(let text)? = members.first?.1 else { return true }
            return text != target
        }
        report[["mounts"]] = .array(
            others + (options.map { [Self.mount(target, $0, propagation: propagation)] } ?? []))
    }

    /// To every request that begins so.
    mutating func answer(_ request: String, _ status: Int, _ text: String? = nil) {
        for argument in list.arguments {
            let words = argument.split(separator: " ", maxSplits: 1)
            guard words.count == 2, words[1].hasPrefix(request) else { continue }
            report[["attempts", "request \(argument)", "value"]] = .number(status)
            if let text { report[["attempts", "request \(argument)", "answer"]] = .string(text) }
        }
    }
}
