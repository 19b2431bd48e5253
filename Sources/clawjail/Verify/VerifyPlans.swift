import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy
import JailVerify

/// The plan of a profile, and of the jail in which its promises are tried.
struct VerifyPlans {
    /// What is promised.
    let promised: LaunchPlan
    /// What is started: the plan of the profile with one file more, and the probe for a command.
    private(set) var trial: LaunchPlan
    /// What differs from a jail of the profile, for people.
    private(set) var notes: [String] = []

    /// The one file that is added, at the top of the jail's tree.
    static let probePath = "/jailprobe"

    /// - Parameter against: the profile whose promises count; nil: the same.
    init(_ invocation: Invocation, against: String?) throws(JailError) {
        var invocation = invocation
        var notes: [String] = []
        let profile = try invocation.loadProfile()
        invocation.name = try Invocation.randomName("verify-\(profile.name)")
        let own = try invocation.makePlan(session: Self.waiting, with: Self.quiet(profile, &notes))
        if let against {
            var other = invocation
            other.profile = against
            var unused: [String] = []
            promised = try other.makePlan(session: Self.waiting, with: Self.quiet(try other.loadProfile(), &unused))
        } else {
            promised = own
        }
        trial = own
        trial.session = nil
        try addProbe()
        self.notes =
            ["one file is shown that a jail of this profile does not have: \(Self.probePath), which tries all this"]
            + notes
    }

    /// A jail that would only wait: its plan needs no command.
    private static let waiting = SessionPlan(configuration: "verify")

    /// Without what would reach beyond a trial: another jail's ports and data, messages, jails beside it.
    private static func quiet(_ profile: Profile, _ notes: inout [String]) throws(JailError) -> Profile {
        var profile = profile
        if !profile.network.publish.isEmpty {
            notes.append("published ports are others on the host, which are free, and ask for no token")
            for index in profile.network.publish.indices {
                profile.network.publish[index].hostPort = try VerifyListeners.freePort()
                profile.network.publish[index].token = nil
            }
        }
        if profile.filesystem.workspace != .none, profile.filesystem.workspaceSource == nil {
            notes.append("no workspace is shown; --workspace DIRECTORY names one")
        }
        if profile.filesystem.hasReview { notes.append("its changes to the workspace are removed afterwards") }
        if let data = profile.filesystem.data {
            notes.append("\(data.target) is an empty one, which is removed afterwards")
            profile.filesystem.data?.source = nil
        }
        if profile.health != nil || profile.alerts != nil || !profile.audit.anchors.isEmpty {
            notes.append("nobody is told of anything: no health, alerts and anchors")
            profile.health = nil
            profile.alerts = nil
            profile.audit.anchors = []
        }
        if profile.approvals != nil {
            notes.append("nobody is asked: what would be asked about is denied")
            profile.approvals = nil
            for index in profile.commands.rules.indices { profile.commands.rules[index].asks = false }
        }
        if profile.commands.rules.contains(where: { $0.place != .jail }) {
            notes.append("no commands are run elsewhere: the profiles of their jails can be verified by their names")
            profile.commands.rules.removeAll { $0.place != .jail }
        }
        if profile.sessions != nil {
            notes.append("no sessions can be asked for")
            profile.sessions = nil
        }
        return profile
    }

    private mutating func addProbe() throws(JailError) {
        let path = try Self.findProbe()
        let status = try attempt(.host, path) { () throws(SystemError) in try System.status(path) }
        trial.add(program: path, status.identity, at: Self.probePath)
    }

    mutating func setArguments(_ arguments: [String]) {
        trial.command.arguments = ["jailprobe"] + arguments + ["--wait"]
    }

    /// Where `make install` puts it, or beside this program, where it is built.
    private static func findProbe() throws(JailError) -> String {
        let program = try attempt(.host, "/proc/self/exe") { () throws(SystemError) in
            try System.readLink("/proc/self/exe")
        }
        let prefix = program.parentPath.parentPath
        let candidates = ["\(prefix)/libexec/clawjail/jailprobe", "\(program.parentPath)/jailprobe"]
        guard let found = candidates.first(where: { (try? System.status($0))?.kind == .regular }) else {
            throw JailError(
                .host, path: candidates[0], reason: "it is not there, and verify runs it in the jail",
                hint: "install clawjail as a whole, as 'make install' does")
        }
        return found
    }
}
