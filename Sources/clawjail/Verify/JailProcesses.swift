import JailCore

/// Links of /proc/PID/ns, which name namespaces.
enum HostNamespaces {
    static let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"]

    /// Those that can be read.
    static func links(of process: String) -> [String: String] {
        var links: [String: String] = [:]
        for kind in kinds { links[kind] = try? System.readLink("/proc/\(process)/ns/\(kind)") }
        return links
    }
}

/// /proc/PID/status: readable for everybody, whoever the process belongs to.
struct ProcessStatus {
    let pid: Int32
    private var fields: [String: String] = [:]

    init(pid: Int32) {
        self.pid = pid
        let bytes = (try? System.readFile("/proc/\(pid)/status")) ?? []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(
                line[line.index(after: colon)...].drop { $0 == "\t" || $0 == " " })
        }
    }

    /// nil: it has ended, or the kernel does not say that.
    func text(_ name: String) -> String? { fields[name] }

    func words(_ name: String) -> [String] {
        (fields[name] ?? "").split(whereSeparator: { $0 == "\t" || $0 == " " }).map(String.init)
    }

    var hasEnded: Bool { fields.isEmpty || fields["State"]?.hasPrefix("Z") == true }
}

/// The processes of a running jail, as the host numbers them.
enum JailProcesses {
    /// More than any profile allows to be looked at one by one.
    private static let most = 10_000

    /// Everything below init, which is not among them.
    static func commands(of jail: RunningJail) -> [Int32] {
        guard jail.initProcess > 0 else { return [] }
        var found: [Int32] = []
        var pending = children(of: jail.initProcess)
        while let pid = pending.popLast(), found.count < most {
            found.append(pid)
            pending += children(of: pid)
        }
        return found
    }

    private static func children(of pid: Int32) -> [Int32] {
        guard let tasks = try? System.open("/proc/\(pid)/task", [.readOnly, .directory]),
            let names = try? System.names(in: tasks.borrowed, limit: most)
        else { return [] }
        return names.flatMap { task -> [Int32] in
            let bytes = (try? System.readFile("/proc/\(pid)/task/\(task.name)/children")) ?? []
            return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
        }
    }
}
