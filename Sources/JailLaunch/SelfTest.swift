internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What init makes sure of by itself before it starts the command: that the walls stand which it has just put up, as the
/// kernel says. `clawjail verify` tries much more.
///
/// After the last wall, in the process that every command is a child of.
struct SelfTest {
    /// Each is a step of the stage: the number crosses the socket, and the supervisor has the words.
    enum Promise: UInt16, CaseIterable {
        case capabilities, privileges, filter, identity, namespaces, root, calls, outside, descriptors

        /// What did not hold.
        var broken: String {
            switch self {
            case .capabilities: "there are capabilities left"
            case .privileges: "no_new_privs is not set"
            case .filter: "system calls pass no filter"
            case .identity: "it is not the user that was planned"
            case .namespaces: "a namespace is the host's"
            case .root: "a file could be made in '/'"
            case .calls: "a system call that is to be refused was not"
            case .outside: "a directory of the host's is there"
            case .descriptors: "a file of somebody else's is open"
            }
        }
    }

    private static let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]
    private static let newFile = "/.clawjail-self-test"

    let plan: LaunchPlan
    /// Of the host, see ``namespaces()``.
    let host: [String]
    /// Descriptors that this process has for a reason.
    let open: Set<Int32>

    /// Links that name the namespaces of this process. In the supervisor, before the clone.
    static func namespaces() throws(SystemError) -> [String] {
        try kinds.map { (kind) throws(SystemError) in try System.readLink("/proc/self/ns/\(kind)") }
    }

    /// - Throws: the first promise that does not hold, or cannot be tried.
    func run() throws(Failure) {
        // The kernel writes all of it at once: asked once, it is of one moment.
        let status: [String: String]
        do throws(SystemError) { status = try Self.status() } catch {
            throw Failure(stage: .selftest, step: Promise.capabilities.rawValue, error: error)
        }
        for promise in Promise.allCases {
            let holds: Bool
            do throws(SystemError) { holds = try check(promise, status) } catch {
                throw Failure(stage: .selftest, step: promise.rawValue, error: error)
            }
            guard holds else {
                throw Failure(
                    stage: .selftest, step: promise.rawValue, error: SystemError(.check, .notPermitted))
            }
        }
    }

    func check(_ promise: Promise, _ status: [String: String]) throws(SystemError) -> Bool {
        switch promise {
        case .capabilities:
            return ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].allSatisfy { status[$0] == "0000000000000000" }
        case .privileges: return status["NoNewPrivs"] == "1"
        case .filter: return status["Seccomp"] == "2"
        case .identity:
            let inside = plan.identity.inside
            return Self.ids(status["Uid"], are: inside.uid) && Self.ids(status["Gid"], are: inside.gid)
        case .namespaces:
            let own = try Self.namespaces()
            return host.count == own.count && zip(own, host).allSatisfy { $0 != $1 }
        case .root: return try rootIsReadOnly()
        case .calls: return try callsAreRefused()
        case .outside:
            // Of the same name some jails have a directory of their own.
            let own = plan.mounts.map(\.path)
            for path in [plan.stateDirectory, plan.runtimeDirectory]
            where !own.contains(where: { $0 == path || $0.isBelow(path) }) {
                if try Self.exists(path) { return false }
            }
            return true
        case .descriptors:
            let directory = try System.open("/proc/self/fd", [.readOnly, .directory])
            let found = try System.names(in: directory.borrowed).compactMap { Int32($0.name) }
            return Set(found).subtracting([directory.borrowed.number]).isSubset(of: open)
        }
    }

    private func rootIsReadOnly() throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try System.open(Self.newFile, [.writeOnly, .create, .exclusive], mode: 0o600)
            try System.unlink(Self.newFile)
            return false
        } catch {
            guard error.errno == .readOnly else { throw error }
            return true
        }
    }

    /// One that is known and refused, and one that the filter does not know, unless the profile allows them.
    private func callsAreRefused() throws(SystemError) -> Bool {
        if !plan.seccomp.additional.contains("unshare") {
            guard try Self.errno({ () throws(SystemError) in try System.unshare(.user) }) == .notPermitted else {
                return false
            }
        }
        guard !plan.seccomp.additional.contains("keyctl") else { return true }
        return try Self.errno({ () throws(SystemError) in try System.joinAnonymousSessionKeyring() }) == .notImplemented
    }

    /// nil: it worked.
    private static func errno(_ body: () throws(SystemError) -> Void) throws(SystemError) -> Errno? {
        do throws(SystemError) { try body() } catch { return error.errno }
        return nil
    }

    private static func exists(_ path: String) throws(SystemError) -> Bool {
        do throws(SystemError) { _ = try System.status(path) } catch {
            guard [.notFound, .notDirectory].contains(error.errno) else { throw error }
            return false
        }
        return true
    }

    /// Fields of /proc/self/status by name.
    static func status() throws(SystemError) -> [String: String] {
        var fields: [String: String] = [:]
        for line in String(decoding: try System.readFile("/proc/self/status"), as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...].drop { $0 == "\t" })
        }
        return fields
    }

    private static func ids(_ field: String?, are id: UInt32) -> Bool {
        let words = (field ?? "").split(separator: "\t")
        return words.count == 4 && words.allSatisfy { $0 == "\(id)" }
    }
}
