internal import Glibc
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// Makes the sessions that a jail asks for, as ``SessionCreation`` makes those of the command line: from the profile that
/// was loaded when the jail started, and with directories that its maker has opened.
struct GatewaySessions: SessionStarter {
    func run(_ start: SessionStart) -> Never {
        var reporter = Reporter()
        reporter.waiting = SharedDescriptor(OwnedDescriptor(start.report.number))
        do throws(JailError) {
            let session = Self.session(start)
            let base = RunDirectory.sessions(of: start.gateway.name, in: start.gateway.runtimeDirectory)
            if try SessionCreation.isThere(
                session, JailAddress(gateway: start.gateway.name, id: start.order.id, base: base),
                until: System.monotonicNanoseconds() + SessionCreation.patience)
            {
                reporter.started()
                Output.leave(0)
            }
            let plan = try Self.plan(start, session)
            reporter.isRelayed = true
            Output.leave(try Supervisor.run(plan, lifeline: start.lifeline, reporter: &reporter))
        } catch {
            reporter.failed(error)
            Output.leave(error.status)
        }
    }

    /// What the session was asked for, in the words of the jail: no path of the host is in it.
    private static func session(_ start: SessionStart) -> SessionPlan {
        let order = start.order
        func text(_ mount: SessionOrder.Mount) -> String {
            let root = start.sessions.roots[mount.root].path
            return "\(mount.below.isEmpty ? root : "\(root)/\(mount.below)"):\(mount.target)"
        }
        var settings = SessionSettings()
        settings.id = order.id
        settings.profile = start.sessions.profile.name
        settings.workspace = order.workspace.map { text($0) + ($0.readOnly ? ":ro" : "") }
        settings.agent = order.agent.map { text($0) + ($0.readOnly ? ":ro" : "") }
        settings.readOnly = order.readOnly.map(text)
        settings.memory = order.memory.map(ByteSize.format)
        settings.processes = order.processes.map { String($0) }
        settings.cpus = order.milliCPUs.map(ProcessorShare.format)
        settings.secrets = order.secrets
        return SessionPlan(
            configuration: settings.configuration(start.sessions.profile).text(), labels: order.labels)
    }

    private static func plan(_ start: SessionStart, _ session: SessionPlan) throws(JailError) -> LaunchPlan {
        var profile = start.sessions.profile
        // The supervisor has refused what is more; whoever has taken it over gets no more either.
        profile.limits.memory = least(profile.limits.memory, start.order.memory)
        profile.limits.processes = least(profile.limits.processes, start.order.processes)
        profile.limits.milliCPUs = least(profile.limits.milliCPUs, start.order.milliCPUs)
        profile.secrets = profile.secrets.keeping(start.order.secrets.filter(start.sessions.secrets.contains))
        do throws(ValueError) { try show(start.sources, in: &profile.filesystem) } catch {
            throw JailError(.plan, reason: "a directory of the session \(error.reason)", hint: error.hint)
        }
        let directories = try Invocation.profileDirectories()
        var request = try HostRequest.fromEnvironment(profile: profile, command: [])
        request.profileDirectories = directories
        request.workspace = profile.filesystem.workspaceSource
        for source in start.sources { request.granted[source.path] = source.identity }
        if start.gateway.identity.startedByRoot, profile.process.user == nil {
            request.user = start.gateway.identity.host.name
        }
        let facts = try HostFacts.gather(request)
        var launch = LaunchRequest(name: start.order.id, arguments: [], bootID: try Invocation.randomUUID())
        launch.gateway = start.gateway.name
        // One process for the ways out of them all, and never the gateway's.
        launch.egressGroup = start.gateway.name
        launch.commandProfiles = try Invocation.commandProfiles(of: profile, directories)
        launch.prices = try Invocation.prices(for: profile, directories)
        launch.session = session
        launch.environment = Invocation.passed(by: profile)
        return try Planner.plan(profile, on: facts, for: launch)
    }

    private static func least(_ one: UInt64?, _ other: UInt64?) -> UInt64? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    private static func show(_ sources: [SessionStart.Source], in rules: inout FilesystemRules) throws(ValueError) {
        let access = rules.workspace
        rules.workspace = .none
        for source in sources {
            if source.target == "/workspace" {
                rules.workspaceSource = source.path
                rules.workspace = source.readOnly || access != .readWrite ? .readOnly : .readWrite
            } else if source.readOnly {
                try rules.addRead(BindRule(source: source.path, target: source.target))
            } else {
                try rules.addWrite(BindRule(source: source.path, target: source.target))
            }
        }
    }
}
