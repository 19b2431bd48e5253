package import JailCore
internal import JailPlan
internal import JailScope

extension Doctor {
    /// Asks this host, as the caller. The namespaces are really tried, in a child that leaves nothing behind.
    package static func examine(searchPath: String?) throws(JailError) -> Doctor {
        var readings = Readings()
        readings.caller = try CallerFacts.current()
        readings.landlockABI = System.landlockABI()
        readings.hasSeccompFilters = System.hasSeccompFilters()
        readings.cgroup = CgroupProbe.examine()
        if case .scope(let offer) = readings.cgroup {
            do throws(JailError) { try ServiceManager(socket: offer.socket).ping() } catch {
                readings.managerSilence = error.reason
            }
        }
        do throws(SystemError) {
            readings.kernelRelease = try System.kernelName().release
            readings.trial = try System.tryNamespaces()
        } catch {
            throw JailError(.host, error)
        }
        let uid = readings.caller.uid
        let name = try Accounts().user(uid: uid)?.name ?? String(uid)
        readings.userName = name
        readings.groups = GroupDrop.examine(
            caller: readings.caller, payload: HostIdentity(name: name, uid: uid, gid: readings.caller.gid))
        readings.readFiles()
        for name in ["node", "openclaw"] {
            let directories = ProgramResolver.Surroundings.directories(searchPath)
            let found = directories.map { Paths.join($0, name) }.first { System.mayAccess($0, 1) }
            readings.programs.append((name, found))
        }
        return Doctor(readings)
    }
}

extension Doctor.Readings {
    private static let firstLines = [
        "/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/unprivileged_userns_clone",
        Doctor.restrictsNamespaces, "/sys/kernel/security/lsm", AppArmorProbe.enabled,
        AppArmorProbe.attributes + "/current", "/proc/sys/kernel/yama/ptrace_scope", "/proc/sys/vm/memfd_noexec",
        "/proc/sys/kernel/core_pattern",
    ]

    mutating func readFiles() {
        for path in Self.firstLines {
            guard let bytes = try? System.readFile(path, limit: 4096) else { continue }
            lines[path] = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        }
        lines["/proc/self/status:Seccomp"] = Self.value(
            of: "Seccomp:", in: (try? System.readFile("/proc/self/status")) ?? [], separator: 0x0A)
        lines["/proc/1/environ:container"] = Self.value(
            of: "container=", in: (try? System.readFile("/proc/1/environ")) ?? [], separator: 0)
        var paths = ["/.dockerenv", "/run/.containerenv", "/proc/self/ns/time", Doctor.ownProfile]
        switch cgroup {
        case .v2(let directory, _): paths.append(directory + "/memory.swap.max")
        case .v1(let directories): paths.append((directories["memory"] ?? "") + "/memory.memsw.limit_in_bytes")
        case .scope:
            paths.append(Doctor.anySwapLimit)
            if let userName { paths.append("/var/lib/systemd/linger/\(userName)") }
        case .unavailable: break
        }
        present = Set(paths.filter { (try? System.status($0, followSymlink: true)) != nil })
    }

    /// What follows `key` in the entry that begins with it, without blanks around it.
    static func value(of key: String, in text: [UInt8], separator: UInt8) -> String? {
        let key = Array(key.utf8)
        for entry in text.split(separator: separator) where entry.starts(with: key) {
            let value = entry.dropFirst(key.count).drop { $0 == 0x20 || $0 == 0x09 }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }
}
