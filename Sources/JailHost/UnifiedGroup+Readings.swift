internal import JailCore
internal import JailPlan
internal import JailScope

extension UnifiedGroup {
    /// - Parameters:
    ///   - path: of our own group, as /proc/self/cgroup says it.
    ///   - place: its directory, or that of one above it; nil: it lies outside of what is mounted.
    ///   - isWhole: the hierarchy is mounted from the top that we see.
    static func read(_ path: String, mount: String, isWhole: Bool, place: (String) -> String?) -> UnifiedGroup? {
        let path = home(path)
        guard let directory = place(path) else { return nil }
        var group = UnifiedGroup(directory: directory)
        group.readFiles()
        if isWhole { group.manager = manager(path, mount) }
        if let unit = unit(of: path) {
            let isDelegated = place(unit).map(isMarked) == true || (group.isWritable && saysManager(group, of: unit))
            group.delegation = isDelegated ? .delegated : .unmarked
            // Below a delegated unit, in a group of somebody else's making (DelegateSubgroup=): the unit's own may be free.
            if isDelegated, group.isShared, let above = place(unit), above != directory {
                var top = group
                top.directory = above
                top.readFiles()
                if top.isWritable, !top.isShared { return top }
            }
        }
        return group
    }

    private mutating func readFiles() {
        controllers = Self.words(directory + "/cgroup.controllers")
        isWritable = System.mayAccess(directory, 3) && System.mayAccess(directory + "/cgroup.procs", 2)
        isShared = Self.isShared(directory)
    }

    /// A user's manager may set no marks (systemd 252). One that does not answer has not said yes.
    private static func saysManager(_ group: UnifiedGroup, of unit: String) -> Bool {
        guard let manager = group.manager, manager.kind == .user else { return false }
        let name = unit.utf8.lastIndex(of: UInt8(ascii: "/")).map { unit[unit.utf8.index(after: $0)...] } ?? unit[...]
        return (try? ServiceManager(socket: manager.socket).delegates(to: String(name))) == true
    }

    private static func words(_ file: String) -> Set<String> {
        let text = (try? System.readFile(file)) ?? []
        return Set(
            text.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map { String(decoding: $0, as: UTF8.self) })
    }

    /// systemd marks what it has delegated, see "Delegation" in systemd's CGROUP_DELEGATION document.
    private static func isMarked(_ directory: String) -> Bool {
        ["user.delegate", "trusted.delegate"].contains {
            System.attribute($0, directory) == [UInt8(ascii: "1")]
        }
    }

    /// Whether processes are in it that are none of this program: those move out when controllers are to be handed on.
    private static func isShared(_ directory: String) -> Bool {
        // The top of all has no type, and is not held to the rule.
        guard (try? System.status(directory + "/cgroup.type")) != nil else { return false }
        guard let own = try? System.status("/proc/self/exe", followSymlink: true).identity else { return true }
        return words(directory + "/cgroup.procs").contains { number in
            guard number != "\(System.processID)" else { return false }
            do throws(SystemError) {
                return try System.status("/proc/\(number)/exe", followSymlink: true).identity != own
            } catch {
                // It has ended meanwhile; whoever hides what it executes is none of ours.
                return !(error.errno == .notFound || error.errno == .noProcess) || number == "0"
            }
        }
    }

    // MARK: Managers

    private static func manager(
        _ path: String, _ mount: String
    ) -> (kind: ScopeOffer.Manager, socket: String, controllers: Set<String>)? {
        // As sd_booted(3) does.
        guard (try? System.status("/run/systemd/system"))?.isDirectory == true else { return nil }
        let uid = System.effectiveUserID
        guard uid != 0 else {
            let socket = "/run/systemd/private"
            guard System.mayAccess(socket, 2) else { return nil }
            return (.system, socket, words(mount + "/cgroup.controllers"))
        }
        let runtime = System.environmentValue("XDG_RUNTIME_DIR").flatMap { $0.utf8.first == 0x2F ? $0 : nil }
        let socket = (runtime ?? "/run/user/\(uid)") + "/systemd/private"
        guard System.mayAccess(socket, 2) else { return nil }
        let own = "/user.slice/user-\(uid).slice/user@\(uid).service"
        return (.user, socket, words(mount + own + "/cgroup.controllers"))
    }
}
