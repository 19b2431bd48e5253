import JailCore
import JailExport

/// Does what ``SetupPlan`` has decided, one step at a time.
enum SetupWork {
    private static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    private static let userMaker = "/usr/sbin/useradd"
    private static let serviceManager = "/usr/bin/systemctl"

    static func perform(_ step: SetupStep) throws(JailError) {
        switch step {
        case .there, .warn: return
        case .makeUser(let name): try makeUser(name)
        case .makeDirectory(let path, let owner, let mode): try makeDirectory(path, owner, mode)
        case .changeMode(let path, let mode):
            try attempt(.host, path) { () throws(SystemError) in
                let directory = try System.open(path, [.readOnly, .directory, .noFollow])
                try System.changeMode("/proc/self/fd/\(directory.borrowed.number)", mode)
            }
        case .writeUnit(let path, let text): try write(text, to: path)
        case .reload: try run(serviceManager, ["daemon-reload"])
        case .enable(let name): try run(serviceManager, ["enable", "--quiet", name])
        }
    }

    /// The tool of the host, which knows its ranges, its locks and its logs. Without a password the account is locked.
    private static func makeUser(_ name: String) throws(JailError) {
        try run(
            userMaker,
            [
                "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell",
                "/usr/sbin/nologin", "--comment", "clawjail jails", "--", name,
            ])
    }

    private static func makeDirectory(_ path: String, _ owner: String?, _ mode: UInt32) throws(JailError) {
        var ids: (uid: UInt32, gid: UInt32) = (0, 0)
        if let owner {
            guard let account = try SetupFacts.account(owner) else {
                throw JailError(.host, path: path, reason: "user '\(owner)' is not in /etc/passwd, though it was made")
            }
            ids = (account.uid, account.gid)
        }
        try attempt(.host, path) { () throws(SystemError) in
            // Nobody else's until it is as it shall be.
            try System.makeDirectory(path, mode: 0o700)
            let directory = SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
            try withExtendedLifetime(directory) { () throws(SystemError) in
                try System.changeMode("/proc/self/fd/\(directory.borrowed.number)", mode)
                try System.changeOwner(directory.borrowed, uid: ids.uid, gid: ids.gid)
            }
        }
    }

    /// Readers see the old or the new; units are no secrets.
    private static func write(_ text: String, to path: String) throws(JailError) {
        try attempt(.host, path) { () throws(SystemError) in
            let draft = path + ".new"
            let file = SharedDescriptor(
                try System.open(draft, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644))
            try withExtendedLifetime(file) { () throws(SystemError) in try System.writeAll(file.borrowed, text) }
            try System.changeMode(draft, 0o644)
            try System.rename(draft, to: path)
        }
    }

    /// Whether a unit starts with the machine, as `systemctl is-enabled` says by its status.
    static func isEnabled(_ unit: String) throws(JailError) -> Bool {
        try status(serviceManager, ["is-enabled", "--quiet", unit]) == 0
    }

    private static func run(_ program: String, _ arguments: [String]) throws(JailError) {
        let status = try status(program, arguments)
        guard status == 0 else {
            throw JailError(
                .host, operation: program.printable, reason: "it ended with status \(status)",
                hint: "it has said why; nothing after this step was done")
        }
    }

    private static func status(_ program: String, _ arguments: [String]) throws(JailError) -> Int32 {
        try attempt(.host, program) { () throws(SystemError) in
            let child = try System.spawn(
                program, arguments: [program] + arguments, environment: environment, directory: "/", terminal: nil)
            return try System.wait(forChild: child).status
        }
    }
}
