internal import CLinux
internal import Glibc

/// Three of a thread's five capability sets, see capabilities(7). Bit N is capability N.
package struct CapabilitySets: Hashable, Sendable {
    package var effective: UInt64
    package var permitted: UInt64
    package var inheritable: UInt64

    package init(effective: UInt64, permitted: UInt64, inheritable: UInt64) {
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
    }

    package static let empty = CapabilitySets(effective: 0, permitted: 0, inheritable: 0)
}

/// Resource limits, as setrlimit(2) numbers them on x86-64 and arm64.
package enum Resource: Int32, CaseIterable, Sendable {
    case cpu = 0, fileSize, data, stack, core, residentSet, processes, openFiles, lockedMemory, addressSpace, locks
    case pendingSignals, messageQueues, nice, realtimePriority, realtimeTime

    package static let unlimited = UInt64.max
}

extension System {
    package static func setUser(_ uid: UInt32) throws(SystemError) {
        try check(.setresuid, cl_setresuid(uid, uid, uid))
    }

    package static func setGroup(_ gid: UInt32) throws(SystemError) {
        try check(.setresgid, cl_setresgid(gid, gid, gid))
    }

    /// Whose files this process may reach, see setfsuid(2): for anybody but root without root's rights to all of them.
    /// It is no longer dumpable then.
    package static func setFileSystemIDs(uid: UInt32, gid: UInt32) throws(SystemError) {
        try check(.setfsuid, cl_setfsids(uid, gid))
    }

    package static func setSupplementaryGroups(_ groups: [UInt32]) throws(SystemError) {
        try check(.setgroups, unsafe cl_setgroups(groups.count, groups))
    }

    package static func supplementaryGroups() throws(SystemError) -> [UInt32] {
        let count = try check(.getgroups, cl_getgroups(0, nil))
        var groups = [UInt32](repeating: 0, count: Int(count))
        if count > 0 { try check(.getgroups, unsafe cl_getgroups(count, &groups)) }
        return groups
    }

    package static func capabilities() throws(SystemError) -> CapabilitySets {
        var sets = CapabilitySets.empty
        try check(.capget, unsafe cl_capget(&sets.effective, &sets.permitted, &sets.inheritable))
        return sets
    }

    package static func setCapabilities(_ sets: CapabilitySets) throws(SystemError) {
        try check(.capset, cl_capset(sets.effective, sets.permitted, sets.inheritable))
    }

    /// Takes a capability out of the bounding set; false once `capability` is beyond the kernel's last one.
    package static func dropBounding(_ capability: Int32) throws(SystemError) -> Bool {
        let result = cl_prctl(PrctlOption.capbsetDrop, UInt(capability), 0, 0, 0)
        if result == -EINVAL { return false }
        try check(.prctl, result)
        return true
    }

    /// Whether a capability is in the bounding set; nil beyond the kernel's last one.
    package static func isBounding(_ capability: Int32) throws(SystemError) -> Bool? {
        let result = cl_prctl(PrctlOption.capbsetRead, UInt(capability), 0, 0, 0)
        if result == -EINVAL { return nil }
        return try check(.prctl, result) == 1
    }

    package static func clearAmbientCapabilities() throws(SystemError) {
        try check(.prctl, cl_prctl(PrctlOption.capAmbient, 4 /* PR_CAP_AMBIENT_CLEAR_ALL */, 0, 0, 0))
    }

    /// SECBIT_NOROOT and SECBIT_NO_SETUID_FIXUP and their locks: uid 0 means nothing any more.
    package static func lockSecureBits() throws(SystemError) {
        // noroot 1, its lock 2, no_setuid_fixup 4, its lock 8, keep_caps lock 0x20, no_cap_ambient_raise 0x40 and lock.
        try check(.prctl, cl_prctl(PrctlOption.setSecurebits, 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x40 | 0x80, 0, 0, 0))
    }

    package static func setNoNewPrivileges() throws(SystemError) {
        try check(.prctl, cl_prctl(PrctlOption.setNoNewPrivs, 1, 0, 0, 0))
    }

    package static func hasNoNewPrivileges() throws(SystemError) -> Bool {
        try check(.prctl, cl_prctl(PrctlOption.getNoNewPrivs, 0, 0, 0, 0)) == 1
    }

    /// A process that is not dumpable cannot be traced or read through /proc by others of its uid.
    package static func setDumpable(_ dumpable: Bool) throws(SystemError) {
        try check(.prctl, cl_prctl(PrctlOption.setDumpable, dumpable ? 1 : 0, 0, 0, 0))
    }

    /// Orphans below this process become its children, see PR_SET_CHILD_SUBREAPER in prctl(2).
    package static func becomeSubreaper() throws(SystemError) {
        try check(.prctl, cl_prctl(PrctlOption.setChildSubreaper, 1, 0, 0, 0))
    }

    /// SIGKILL when the parent (the thread that forked) ends. Cleared by the kernel on every change of ids.
    package static func dieWithParent() throws(SystemError) {
        try check(.prctl, cl_prctl(PrctlOption.setPdeathsig, UInt(SIGKILL), 0, 0, 0))
    }

    package static func setProcessName(_ name: String) throws(SystemError) {
        let result = unsafe name.withCString { cl_prctl(PrctlOption.setName, UInt(bitPattern: $0), 0, 0, 0) }
        try check(.prctl, result)
    }

    package static func setLimit(_ resource: Resource, soft: UInt64, hard: UInt64) throws(SystemError) {
        try check(.setrlimit, cl_setrlimit(resource.rawValue, soft, hard))
    }

    package static func limit(_ resource: Resource) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try check(.getrlimit, unsafe cl_getrlimit(resource.rawValue, &soft, &hard))
        return (soft, hard)
    }

    /// As far as it may be raised without any right.
    package static func raiseLimit(_ resource: Resource) throws(SystemError) {
        let now = try limit(resource)
        if now.soft != now.hard { try setLimit(resource, soft: now.hard, hard: now.hard) }
    }

    /// Installs a classic BPF program of packed 64-bit instructions, see seccomp(2).
    package static func installFilter(_ program: [UInt64]) throws(SystemError) {
        guard !program.isEmpty, let count = UInt16(exactly: program.count) else {
            throw SystemError(.seccomp, .invalid)
        }
        try check(.seccomp, unsafe cl_seccomp_filter(program, count, 0))
    }

    /// A session keyring of its own, without a name: the caller's is out of reach, see keyctl(2).
    package static func joinAnonymousSessionKeyring() throws(SystemError) {
        try check(.keyctl, cl_keyctl_join_anonymous_session())
    }

    /// SCHED_OTHER, no negative nice value, no I/O class, and an execution domain without quirks (setarch(8) can switch
    /// address space randomisation off, and seccomp would keep the payload from switching it on again).
    package static func resetScheduling() throws(SystemError) {
        try check(.schedSetscheduler, cl_sched_reset())
        try check(.ioprioSet, cl_ioprio_reset())
        try check(.personality, cl_personality_reset())
    }

    package static func setFileModeMask(_ mask: UInt32) { _ = cl_umask(mask) }

    // MARK: Landlock

    /// The kernel's Landlock ABI; 0 where there is none.
    package static func landlockABI() -> Int32 { max(0, cl_landlock_abi()) }

    package static func makeRuleset(fileSystem: UInt64, network: UInt64, scoped: UInt64) throws(SystemError)
        -> OwnedDescriptor
    {
        OwnedDescriptor(try check(.landlockCreateRuleset, cl_landlock_create(fileSystem, network, scoped)))
    }

    package static func addRule(_ ruleset: Descriptor, beneath path: Descriptor, access: UInt64) throws(SystemError) {
        try check(.landlockAddRule, cl_landlock_add_path(ruleset.number, path.number, access))
    }

    package static func addRule(_ ruleset: Descriptor, port: UInt16, access: UInt64) throws(SystemError) {
        try check(.landlockAddRule, cl_landlock_add_port(ruleset.number, UInt64(port), access))
    }

    package static func restrictSelf(_ ruleset: Descriptor) throws(SystemError) {
        try check(.landlockRestrictSelf, cl_landlock_restrict(ruleset.number))
    }

    /// Closes every descriptor of the range, see close_range(2).
    package static func closeRange(_ first: UInt32, _ last: UInt32) throws(SystemError) {
        guard first <= last else { return }
        try check(.closeRange, cl_close_range(first, last))
    }
}

/// linux/prctl.h
private enum PrctlOption {
    static let setPdeathsig: Int32 = 1
    static let setDumpable: Int32 = 4
    static let setName: Int32 = 15
    static let capbsetRead: Int32 = 23
    static let capbsetDrop: Int32 = 24
    static let setSecurebits: Int32 = 28
    static let setNoNewPrivs: Int32 = 38
    static let setChildSubreaper: Int32 = 36
    static let getNoNewPrivs: Int32 = 39
    static let capAmbient: Int32 = 47
}
