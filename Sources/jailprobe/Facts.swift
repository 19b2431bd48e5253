internal import CLinux
internal import Glibc
internal import JailCore

/// What can be learnt by looking.
enum Facts {
    static func descriptors() -> JSON {
        guard let directory = try? System.open("/proc/self/fd", [.readOnly, .directory]),
            let names = try? System.names(in: directory.borrowed)
        else { return .null }
        let numbers = names.compactMap { Int32($0.name) }.filter { $0 != directory.borrowed.number }.sorted()
        return .array(
            numbers.map { number in
                ["number": .number(number), "target": .optional(try? System.readLink("/proc/self/fd/\(number)"))]
            })
    }

    static func process() -> JSON {
        let status = Self.status()
        var limits: [(String, JSON)] = []
        for resource in Resource.allCases {
            guard let limit = try? System.limit(resource) else { continue }
            limits.append(("\(resource)", .array([.string(text(limit.soft)), .string(text(limit.hard))])))
        }
        let mask = umask(0)
        umask(mask)
        return [
            "pid": .number(getpid()), "parent": .number(getppid()), "group": .number(getpgrp()),
            "session": .number(getsid(0)), "umask": .string(String(mask, radix: 8)),
            "cwd": .optional(try? System.readLink("/proc/self/cwd")),
            "root": .optional(try? System.readLink("/proc/self/root")),
            "nice": .number(getpriority(0 /* PRIO_PROCESS */, 0)), "scheduler": .number(sched_getscheduler(0)),
            "blockedSignals": .optional(status["SigBlk"]), "ignoredSignals": .optional(status["SigIgn"]),
            "noNewPrivileges": .optional(status["NoNewPrivs"]), "seccomp": .optional(status["Seccomp"]),
            "seccompFilters": .optional(status["Seccomp_filters"]),
            "dumpable": .number(cl_prctl(3, 0, 0, 0, 0)), "parentDeathSignal": .number(parentDeathSignal()),
            "standardInputIsTerminal": .boolean(isatty(0) == 1),
            "controllingTerminal": .boolean((try? System.open("/dev/tty", .readWrite)) != nil),
            "limits": .object(limits), "cgroup": text("/proc/self/cgroup"),
            "personality": .optional((try? System.readFile("/proc/self/personality")).map(Self.line)),
            "appArmor": text("/proc/self/attr/apparmor/current"),
        ]
    }

    static func identity() -> JSON {
        let status = Self.status()
        let groups = (try? System.supplementaryGroups()) ?? []
        return [
            "uids": words(status["Uid"]), "gids": words(status["Gid"]),
            "groups": .array(groups.map { .number($0) }),
            "capabilities": [
                "effective": .optional(status["CapEff"]), "permitted": .optional(status["CapPrm"]),
                "inheritable": .optional(status["CapInh"]), "bounding": .optional(status["CapBnd"]),
                "ambient": .optional(status["CapAmb"]),
            ],
            "secureBits": .number(cl_prctl(27, 0, 0, 0, 0)),
            "uidMap": text("/proc/self/uid_map"), "gidMap": text("/proc/self/gid_map"),
            "setgroups": text("/proc/self/setgroups"),
        ]
    }

    static func namespaces() -> JSON {
        .object(
            ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"].map {
                ($0, .optional(try? System.readLink("/proc/self/ns/\($0)")))
            })
    }

    static func host() -> JSON {
        let memory = Self.fields("/proc/meminfo")
        let processors = Self.text("/proc/cpuinfo").lines.filter { $0.hasPrefix("processor") }.count
        return [
            "name": .optional(systemName()), "bootID": text("/proc/sys/kernel/random/boot_id"),
            "memory": .optional(memory["MemTotal"]), "usableProcessors": .number(cl_processor_count()),
            "shownProcessors": .number(processors), "uptime": text("/proc/uptime"), "load": text("/proc/loadavg"),
            "monotonicSeconds": .number(System.monotonicNanoseconds() / 1_000_000_000),
            "bootSeconds": .number(System.boottimeNanoseconds() / 1_000_000_000),
            "commandLine": text("/proc/cmdline"), "version": text("/proc/version"),
            "init": .optional((try? System.readFile("/proc/1/comm")).map(Self.line)),
            "unmountable": .boolean((try? System.status("/sys/kernel")) != nil),
        ]
    }

    static func environment() -> JSON {
        .object(System.environment().map { ($0.name, .string($0.value)) })
    }

    static func visibleProcesses() -> JSON {
        guard let directory = try? System.open("/proc", [.readOnly, .directory]),
            let names = try? System.names(in: directory.borrowed)
        else { return .null }
        return .array(names.compactMap { Int32($0.name) }.sorted().map { .number($0) })
    }

    /// Of /proc/self/mountinfo, see proc_pid_mountinfo(5): where, what, how, and which path of the host it names.
    static func mounts() -> JSON {
        .array(
            Self.text("/proc/self/mountinfo").lines.compactMap { line in
                let fields = line.split(separator: " ").map(String.init)
                guard fields.count > 9, let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else {
                    return nil
                }
                return [
                    "root": .string(fields[3]), "target": .string(fields[4]), "options": .string(fields[5]),
                    "propagation": .string(fields[6..<dash].joined(separator: " ")), "type": .string(fields[dash + 1]),
                    "source": .string(fields[dash + 2]), "superOptions": .string(fields[dash + 3]),
                ]
            })
    }

    static func directories(_ paths: [String]) -> JSON {
        .object(
            paths.map { path in
                guard let directory = try? System.open(path, [.readOnly, .directory]),
                    let names = try? System.names(in: directory.borrowed)
                else { return (path, .null) }
                return (path, .strings(names.map(\.name).sorted()))
            })
    }

    /// The names of the network's interfaces.
    static func network() -> JSON {
        let lines: [String] = Self.text("/proc/self/net/dev").lines
        // The first two are headings.
        let names = lines.dropFirst(2).compactMap { line in
            line.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
        }
        return ["interfaces": .strings(names)]
    }

    /// Sizes of file systems, in bytes, by where they are mounted: of several at one place, of the one that is seen.
    static func sizes() -> JSON {
        var sizes: [(String, JSON)] = []
        var seen: Set<Substring> = []
        for line in Self.text("/proc/self/mountinfo").lines as [String] {
            let fields = line.split(separator: " ")
            guard fields.count > 4, seen.insert(fields[4]).inserted,
                let status = try? System.fileSystem(at: String(fields[4]))
            else { continue }
            sizes.append((String(fields[4]), .number(status.blocks * status.blockSize)))
        }
        return .object(sizes)
    }

    // MARK: Files of /proc

    private struct Text {
        var value: String
        var lines: [String] { value.split(separator: "\n").map(String.init) }
    }

    private static func text(_ path: String) -> Text {
        Text(value: (try? System.readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    private static func text(_ path: String) -> JSON {
        .optional((try? System.readFile(path)).map(Self.line))
    }

    /// `Name:\tvalue` by name.
    private static func fields(_ path: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text(path).lines as [String] {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[String(line[..<colon])] = String(value)
        }
        return fields
    }

    private static func status() -> [String: String] { fields("/proc/self/status") }

    private static func line(_ bytes: [UInt8]) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last == "\n" { text.removeLast() }
        return text
    }

    private static func words(_ text: String?) -> JSON {
        .strings(text?.split(whereSeparator: { $0 == "\t" || $0 == " " }).map(String.init) ?? [])
    }

    private static func text(_ limit: UInt64) -> String { limit == Resource.unlimited ? "unlimited" : "\(limit)" }

    private static func systemName() -> String? {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return nil }
        return unsafe withUnsafeBytes(of: &name.nodename) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static func parentDeathSignal() -> Int32 {
        var signal: Int32 = 0
        _ = unsafe withUnsafeMutablePointer(to: &signal) { cl_prctl(2, UInt(bitPattern: $0), 0, 0, 0) }
        return signal
    }
}
