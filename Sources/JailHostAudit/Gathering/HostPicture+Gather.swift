package import JailCore
internal import JailHost

/// What is asked of the host beside what it shows by itself.
package struct AuditRequest: Sendable {
    /// State directories that the caller names.
    package var directories: [String] = []
    /// The caller's own OPENCLAW_STATE_DIR, and where its home is.
    package var ownStateDirectory: String?
    package var home: String?
    package var callerUID: UInt32
    /// Seconds since the epoch.
    package var now: Int64

    package init(callerUID: UInt32, now: Int64) {
        self.callerUID = callerUID
        self.now = now
    }
}

extension HostPicture {
    /// Looks at the whole host, and changes nothing.
    package static func gather(_ request: AuditRequest, in view: HostView) throws(JailError) -> HostPicture {
        var picture = HostPicture()
        picture.callerUID = request.callerUID
        picture.now = request.now
        picture.readAccounts(view)
        picture.jails = JailGathering(view: view, accounts: picture.accounts).jails()
        picture.gatherProcesses(view)
        picture.gatherUnits(view)
        picture.gatherStates(request, view)
        picture.gatherLogs(view)
        picture.gatherPrograms(view)
        picture.gatherKernel(view)
        picture.gatherBackups(view)
        picture.notLooked = view.notLooked
        picture.notes = view.notes
        return picture
    }

    private mutating func readAccounts(_ view: HostView) {
        accounts = Accounts(passwd: view.read("/etc/passwd", limit: 4 << 20)?.bytes ?? []).users.map {
            Account(name: $0.name, uid: $0.uid, gid: $0.gid, home: $0.home, shell: $0.shell)
        }
        groups = (view.text("/etc/group", limit: 4 << 20) ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 4, !fields[0].isEmpty, let gid = UInt32(fields[2]) else { return nil }
            return Group(
                name: String(fields[0]), gid: gid, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// Homes of people and of services, each once. `/` and the like are nobody's.
    func homes(_ request: AuditRequest? = nil) -> [String] {
        var homes = accounts.map(\.home)
        if let home = request?.home { homes.insert(home, at: 0) }
        var seen: Set<String> = []
        return homes.filter {
            Paths.isCanonicalText($0) && !["/", "/nonexistent", "/bin", "/usr/sbin", "/dev", "/proc"].contains($0)
                && seen.insert($0).inserted
        }
    }

    // MARK: The kernel

    private mutating func gatherKernel(_ view: HostView) {
        for path in [
            HostAudit.ptraceScope, HostAudit.bpf, HostAudit.lockdownState, HostAudit.modules, HostAudit.corePattern,
        ] {
            guard let text = view.text(path, limit: 4096) else { continue }
            lines[path] = String(text.prefix { $0 != "\n" })
        }
        let rows = (view.text("/proc/swaps") ?? "").split(separator: "\n").dropFirst()
        swaps = rows.prefix(64).compactMap { row in
            guard let name = row.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.map(String.init) else {
                return nil
            }
            return SwapDevice(name: name, isSafe: Self.isSafe(swap: name, view))
        }
    }

    /// In memory, or encrypted.
    private static func isSafe(swap name: String, _ view: HostView) -> Bool {
        let device = view.way(name)?.canonical.lastComponent ?? name.lastComponent
        if device.hasPrefix("zram") { return true }
        return view.text("/sys/class/block/\(device)/dm/uuid", limit: 256)?.hasPrefix("CRYPT-") == true
    }
}
