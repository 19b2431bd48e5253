import JailCore
import JailExport
import JailLaunch
import JailPlan
import JailPolicy

/// A step up or down the ladder, from the look before to the restart after.
struct LadderMove {
    private let own: OwnProfile
    private let new: String
    private let order: LockdownOrder
    private let options: MoveOptions

    init(_ own: OwnProfile, to new: String, reason: String, _ options: MoveOptions) throws(JailError) {
        guard let order = LockdownOrder(reason: reason, who: LockdownWork.who()) else { throw LockdownWork.noReason }
        self.own = own
        self.new = new
        self.order = order
        self.options = options
    }

    /// Runs `clawjail verify`, which prints what does not hold.
    func verify(_ path: String, _ when: String) throws(JailError) {
        var words = ["verify", "--profile", path, "--quiet"]
        if let user = options.user { words += ["--user", user] }
        let program = try attempt(.host, "/proc/self/exe") { () throws(SystemError) in
            try System.readLink("/proc/self/exe")
        }
        let environment = System.environment().map { "\($0.name)=\($0.value)" }
        let child = try attempt(.host, program) { () throws(SystemError) in
            try System.spawn(
                "/proc/self/exe", arguments: [program] + words, environment: environment, directory: ".", terminal: nil)
        }
        let end = try attempt(.host, program) { () throws(SystemError) in try System.wait(forChild: child) }
        guard end.status == 0 else {
            throw JailError(
                .profile, reason: "profile '\(own.name)' \(when) does not hold what it promises",
                hint: "clawjail verify --profile \(own.name) says what")
        }
        try Output.print("verified: '\(own.name)' \(when)")
    }

    func printDifference(to path: String) throws(JailError) {
        let loader = try Invocation.loader()
        for line in ProfileDiff.lines(from: try loader.load(own.name), to: try loader.load(path)) {
            try Output.print(line.description)
        }
    }

    /// The change is written down before it is there: one that was not made is told by the profile itself.
    func perform(_ draft: OwnProfile.Draft) throws(JailError) {
        let state = try LockdownWork.stateDirectory()
        let record: JSON = [
            "time": .string(UTCTime.text(System.realtimeSeconds())), "profile": .string(own.name),
            "file": .string(own.path), "from": .string(own.rung), "to": .string(new), "who": .string(order.who),
            "reason": .string(order.reason),
        ]
        try attempt(.profile, "\(state)/\(Self.historyFile)") { () throws(SystemError) in
            try PrivateDirectory.make(state)
            let file = try System.open(
                "\(state)/\(Self.historyFile)", [.writeOnly, .create, .append, .noFollow], mode: 0o600)
            try System.writeAll(file.borrowed, record.text() + "\n")
            try System.synchronize(file.borrowed)
        }
        try draft.takePlace(of: own.text)
        try Output.print("moved: \(own.path.printable) extends '\(new)' now, and no longer '\(own.rung)'")
    }

    /// In the log of the jail of the profile's name. Of one that runs, the log is its supervisor's.
    func record(_ action: String) throws(JailError) {
        let event = JailRecord.event(
            .profile, action,
            [
                ("profile", .string(own.name)), ("from", .string(own.rung)), ("to", .string(new)),
                ("who", .string(order.who)), ("reason", .string(order.reason)),
            ])
        do throws(JailError) { try JailRecord.alone(event, own.name) } catch {
            guard error.status == ExitStatus.exists else { throw error }
            try Output.print("jail '\(own.name)' runs, and its log is its supervisor's: it says so with the next start")
        }
    }

    /// In clawjail's state directory: who has moved which profile, when and why, one JSON object on a line.
    static let historyFile = "promotions.jsonl"

    // MARK: What runs

    private struct Service {
        let unit: String
        let supervisor: Int64
    }

    /// - Parameter stopping: what systemd does not start again is ended.
    func restart(stopping: Bool) throws(JailError) {
        let services = try services()
        let others = try RunningJail.all().filter { jail in
            jail.profile == own.name && !services.contains { $0.supervisor == jail.supervisor }
        }
        for service in services {
            if options.keepRunning {
                try Output.print("runs as before until it is started again: systemctl restart \(service.unit)")
            } else {
                _ = try HostProgram.output(["systemctl", "restart", service.unit], limit: 1 << 16)
                try Output.print("restarted: \(service.unit)")
            }
        }
        for jail in others {
            if stopping, !options.keepRunning {
                try JailConnection.end(try JailConnection.open(jail.name), kill: false)
                try Output.print("stopped: \(jail.name.printable)")
            } else {
                try Output.print(
                    "runs as before until it is started again: clawjail stop \(jail.name.printable), and start it")
            }
        }
    }

    /// Active services of the profile whose units clawjail has written. Only root may start them again.
    private func services() throws(JailError) -> [Service] {
        guard System.effectiveUserID == 0, (try? System.status("/run/systemd/system")) != nil else { return [] }
        var services: [Service] = []
        for unit in ["clawjail@\(own.name).service", "\(own.name).service"] {
            let answer = try HostProgram.output(
                ["systemctl", "show", "--property=MainPID,FragmentPath", unit], limit: 1 << 16)
            let values = answer.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            func value(_ name: String) -> String? { values.first { $0.count == 2 && $0[0] == name }?[1] }
            guard let supervisor = value("MainPID").flatMap({ Int64($0) }), supervisor > 0,
                let file = value("FragmentPath")
            else { continue }
            let content = try attempt(.host, file) { () throws(SystemError) in try System.readFile(file) }
            guard content.starts(with: SystemdUnit.mark.utf8) else { continue }
            services.append(Service(unit: unit, supervisor: supervisor))
        }
        return services
    }
}
