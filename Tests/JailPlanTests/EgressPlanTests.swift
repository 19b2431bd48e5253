import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailPlan

struct `The plan of the way out` {
    static func profile(_ ports: [UInt16] = [443, 80], _ change: (inout Profile) -> Void = { _ in }) -> Profile {
        bare {
            $0.network.allow = [NetworkRule(hosts: [.any], methods: ["GET"], ports: ports)]
            change(&$0)
        }
    }

    @Test func `without a rule there is none, and no trace of one`() throws {
        let plan = try plan(bare())
        #expect(plan.network.egress == nil)
        #expect(plan.environment("HTTP_PROXY") == nil && plan.environment("SSL_CERT_FILE") == nil)
        #expect(plan.file("/etc/resolv.conf")?.contains("nameserver") == false)
        #expect(plan.bind(at: "/etc/ssl/certs/ca-certificates.crt") != nil)
    }

    @Test func `every port of a rule gets a listener, and the proxy none of them`() throws {
        let egress = try #require(try plan(Self.profile([443, 3128, 80, 3129])).network.egress)
        #expect(egress.ports == [80, 443, 3128, 3129])
        #expect(egress.proxyPort == 3130)
    }

    @Test func `secrets are in it by name, and a variable has one value whoever sets it`() throws {
        var binding = SecretBinding(
            name: "hub", hosts: [HostName(user: "a.example")].compactMap(\.self), place: .bearer)
        (binding.environment, binding.methods) = ("TOKEN", ["GET"])
        let profile = Self.profile { $0.secrets.bindings = [binding] }
        let made = try plan(profile)
        #expect(made.network.egress?.secrets.names == ["hub"] && made.environment("TOKEN") == nil)
        #expect(made.json.text().contains(#""secrets":[{"name":"hub","env":"TOKEN""#))
        #expect(made.text.contains("hub as Authorization: Bearer to a.example"))
        // As 'run --env' does.
        let set = Self.profile {
            $0.secrets.bindings = [binding]
            $0.process.environment = [EnvironmentVariable(name: "TOKEN", value: "x")]
        }
        let reason = failure { () throws(JailError) in _ = try plan(set) }?.reason
        #expect(reason == "secrets[0] sets TOKEN, which process.environment sets as well")
    }

    @Test func `more ports than a message carries, the name server's, and a published one are refused`() throws {
        _ = try plan(Self.profile(Array(1000..<1064)))
        for ports in [Array(1000..<1065), [UInt16(53)]] {
            #expect(failure { () throws(JailError) in _ = try plan(Self.profile(ports)) }?.stage == .plan)
        }
        let published = Self.profile { $0.network.publish = [PublishedPort(hostPort: 1, jailPort: 443)] }
        #expect(failure { () throws(JailError) in _ = try plan(published) }?.reason.contains("port 443") == true)
    }

    @Test func `programs are told of name server, proxy and certificates`() throws {
        let plan = try plan(Self.profile())
        #expect(plan.file("/etc/resolv.conf") == "nameserver 127.0.0.53\n")
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            #expect(plan.environment(name) == "http://127.0.0.53:3128")
        }
        #expect(plan.environment("NO_PROXY") == "localhost,127.0.0.1,::1")
        #expect(plan.environment("NODE_EXTRA_CA_CERTS") == "/etc/ssl/certs/clawjail-ca.pem")
        #expect(plan.environment("SSL_CERT_FILE") == "/etc/ssl/certs/ca-certificates.crt")
        #expect(plan.bind(at: "/etc/ssl/certs/ca-certificates.crt") == nil)
        #expect(
            plan.trust == [
                "/etc/ssl/certs/ca-certificates.crt": .bundle, "/etc/ssl/certs/clawjail-ca.pem": .authority,
            ])
    }

    @Test func `what the profile sets goes before that`() throws {
        let plan = try plan(
            Self.profile { $0.process.environment = [EnvironmentVariable(name: "HTTP_PROXY", value: "x")] })
        #expect(plan.environment("HTTP_PROXY") == "x")
    }

    @Test func `where the directory of certificates is the host's, files of our own are named`() throws {
        let facts = PaperHost.facts {
            $0.certificates = "/etc/ssl/certs/ca-certificates.crt"
            $0.closure.files.append(PaperHost.file("/etc/ssl/certs", isDirectory: true))
        }
        let plan = try plan(Self.profile(), on: facts)
        #expect(plan.environment("SSL_CERT_FILE") == "/run/clawjail/ca-certificates.crt")
        #expect(plan.mounts.contains(.trust(path: facts.certificates ?? "", file: .bundle, covers: true)))
    }

    @Test func `Java gets a store of its own kind`() throws {
        let facts = PaperHost.facts {
            $0.closure.programs.append(
                ResolvedProgram(name: "java", path: "/usr/bin/java", realPath: "/usr/lib/jvm/17/bin/java"))
        }
        let plan = try plan(Self.profile(), on: facts)
        #expect(plan.network.egress?.wantsJavaTrustStore == true)
        #expect(plan.trust["/etc/ssl/certs/java/cacerts"] == .java)
    }

    @Test func `its process is the caller, and of root's jails nobody`() throws {
        let own = try #require(try plan(Self.profile()).network.egress).identity
        #expect(own.host.uid == 1234 && !own.startedByRoot)
        let facts = PaperHost.facts {
            $0.caller.uid = 0
            $0.caller.gid = 0
            $0.groups = .byRoot
        }
        let nobody = try #require(try plan(Self.profile(), on: facts).network.egress).identity
        #expect(nobody.host.uid == 61200 && nobody.host.gid == 61200 && nobody.startedByRoot)
        #expect(nobody.groups == .byRoot)
    }

    @Test func `a program that is missing, somebody else's, or writable by others is refused`() throws {
        func refusal(_ change: (inout EgressFacts) -> Void) -> String? {
            let facts = PaperHost.facts {
                guard var egress = $0.egress else { return }
                change(&egress)
                $0.egress = egress
            }
            do throws(JailError) {
                _ = try plan(Self.profile(), on: facts)
                return nil
            } catch {
                return error.reason
            }
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.file = nil } != nil)
        #expect(refusal { $0.file?.owner = 999 } != nil)
        #expect(refusal { $0.file?.owner = 1234 } == nil)
        #expect(refusal { $0.file?.permissions = 0o775 } != nil)
        #expect(refusal { $0.file?.permissions = 0o757 } != nil)
        #expect(refusal { $0.file?.isDirectory = true } != nil)
    }

    @Test func `it has no file, no port and no signal, and few resources`() throws {
        let egress = try #require(try plan(Self.profile()).network.egress)
        #expect(EgressPlan.landlock(abi: 7) == LandlockPlan(abi: 7, rules: [], bindPorts: [], scoped: true))
        #expect(EgressPlan.landlock(abi: 3) == LandlockPlan(abi: 3, rules: [], bindPorts: nil, scoped: false))
        #expect(egress.landlockABI == 7)
        #expect(egress.resources.contains(.init(resource: .core, value: 0)))
    }

    @Test func `jails of a group share one process, which has room for all of them`() throws {
        let alone = try plan(Self.profile())
        let shared = try plan(Self.profile()) { $0.egressGroup = "chat-1" }
        let egress = try #require(shared.network.egress)
        #expect(alone.network.egress?.group == nil && egress.group == "chat-1")
        func limit(_ plan: LaunchPlan, _ resource: Resource) -> UInt64? {
            plan.network.egress?.resources.first { $0.resource == resource }?.value
        }
        let most = UInt64(EgressPlan.mostSharing)
        #expect(limit(alone, .openFiles) == 8192 && limit(alone, .data) == 1 << 30)
        #expect(most == 64 && limit(shared, .openFiles) == most * 1024 && limit(shared, .data) == most * 64 << 20)
        // What the jail sees is the same.
        #expect(alone.mounts == shared.mounts && alone.command == shared.command)
        #expect(shared.text.contains("group 'chat-1': up to 64, with 65536 open files and 4G of memory"))
        #expect(shared.json.text().contains(#""group":"chat-1","mostSharing":64"#))
        #expect(!alone.text.contains("group '"))
        #expect(alone.json.text().contains(#""group":null,"mostSharing":null"#))
    }

    @Test(arguments: ["", "..", "a/b", "A", ".egress", String(repeating: "a", count: 49)])
    func `a group that is no name is refused`(group: String) {
        let error = failure { () throws(JailError) in _ = try plan(Self.profile()) { $0.egressGroup = group } }
        #expect(error?.stage == .plan && error?.reason.contains("group") == true)
    }

    @Test func `both forms of the plan tell of it`() throws {
        let plan = try plan(Self.profile { $0.network.onGatewayExit = .stop })
        #expect(plan.text.contains("the jail is stopped") && plan.text.contains("http://127.0.0.53:3128"))
        let json = plan.json.text()
        #expect(json.contains(#""proxyPort":3128"#) && json.contains(#""onExit":"stop""#))
    }
}

extension LaunchPlan {
    fileprivate var trust: [String: TrustFile] {
        var files: [String: TrustFile] = [:]
        for step in mounts { if case .trust(let path, let file, false) = step { files[path] = file } }
        return files
    }
}
