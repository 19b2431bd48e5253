package import JailCore
package import JailPlan

/// What a process may do by itself: limits, capabilities, no_new_privs.
package enum Privileges {
    /// Sets both soft and hard limits; a limit of the caller that is lower already stays as it is.
    ///
    /// Of the others the caller's soft limits do not reach the command: they are set to the hard ones. Of the stack
    /// that would be a change of its own (without a limit the kernel lays out memory differently), so it gets what
    /// every host gives.
    package static func apply(_ limits: [LimitPlan.Entry]) throws(SystemError) {
        for resource in Resource.allCases where !limits.contains(where: { $0.resource == resource }) {
            let current = try System.limit(resource)
            let soft = resource == .stack ? min(usualStack, current.hard) : current.hard
            if soft != current.soft { try System.setLimit(resource, soft: soft, hard: current.hard) }
        }
        for entry in limits {
            let current = try System.limit(entry.resource)
            let value = min(entry.value, current.hard)
            try System.setLimit(entry.resource, soft: value, hard: value)
        }
    }

    /// What a command gets of RLIMIT_NOFILE, which init does not have for itself: the kernel counts descriptors on their way
    /// through sockets for a user as a whole, against the sender's own limit, see RLIMIT_NOFILE in getrlimit(2) and
    /// ETOOMANYREFS in unix(7). Whoever inside uses up all that it may send must not keep init from sending.
    package static func openFiles(_ limits: [LimitPlan.Entry]) throws(SystemError) -> UInt64? {
        guard let entry = limits.first(where: { $0.resource == .openFiles }) else { return nil }
        return min(entry.value, try System.limit(.openFiles).hard)
    }

    private static let usualStack: UInt64 = 8 << 20

    /// A capability that a supervisor may keep.
    package struct Kept: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        /// Not generic, as the one of the standard library is: that one costs every launch 0.1 ms of type metadata.
        package init(arrayLiteral elements: Kept...) {
            var bits: UInt64 = 0
            for element in elements { bits |= element.rawValue }
            self.init(rawValue: bits)
        }

        /// CAP_DAC_OVERRIDE: files and directories whatever their permissions say.
        package static let overrideAccess = Kept(rawValue: 1 << 1)
        /// CAP_KILL: signals to processes of anybody's.
        package static let signal = Kept(rawValue: 1 << 5)
    }

    /// Empties all five capability sets for good, see capabilities(7).
    ///
    /// The bounding set first, while CAP_SETPCAP is still there; the secure bits too, so that uid 0, should a program
    /// ever get it, means nothing. Then the sets themselves. Nothing can be won back on execve.
    package static func dropCapabilities() throws(SystemError) {
        try System.clearAmbientCapabilities()
        var capability: Int32 = 0
        while try System.dropBounding(capability) { capability += 1 }
        // A kernel without a single capability is no kernel: the first call must have known its number.
        guard capability > 0 else { throw SystemError(.check, .invalid) }
        try System.lockSecureBits()
        try System.setCapabilities(.empty)
        guard try System.capabilities() == .empty else { throw SystemError(.check, .notPermitted) }
        for number in 0..<capability {
            guard try System.isBounding(number) == false else { throw SystemError(.check, .notPermitted) }
        }
    }

    /// For a supervisor that root started: gives up all but `kept`. After ``forbidNewPrivileges()`` what it executes gets no more
    /// either.
    package static func keepOnly(_ kept: Kept) throws(SystemError) {
        let sets = CapabilitySets(effective: kept.rawValue, permitted: kept.rawValue, inheritable: 0)
        try System.clearAmbientCapabilities()
        try System.setCapabilities(sets)
        guard try System.capabilities() == sets else { throw SystemError(.check, .notPermitted) }
    }

    /// No program that this process or its descendants execute ever gains privileges, see no_new_privs in prctl(2).
    package static func forbidNewPrivileges() throws(SystemError) {
        try System.setNoNewPrivileges()
        guard try System.hasNoNewPrivileges() else { throw SystemError(.check, .notPermitted) }
    }
}
