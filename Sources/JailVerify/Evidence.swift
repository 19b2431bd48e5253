/// What was found out about a jail: from inside, and from where the verifier stands.
package struct Evidence: Sendable {
    package var inside: ProbeReport
    package var outside: OutsideFacts

    package init(inside: ProbeReport, outside: OutsideFacts) {
        self.inside = inside
        self.outside = outside
    }
}

/// What the host sees.
package struct OutsideFacts: Equatable, Sendable {
    /// Links of /proc/self/ns of the verifier, by name.
    package var namespaces: [String: String] = [:]
    package var bootID = ""
    /// Of the probe, as the host numbers them: real, effective, saved, file system. Empty: it was not found.
    package var users: [String] = []
    package var groups: [String] = []
    /// The figures of the jail's control group; nil: there is none, or it cannot be read.
    package var group: GroupFigures?
    /// Connections that came to the verifier's own listeners.
    package var arrivals = 0
    /// What was seen at each published port.
    package var published: [PublishedFinding] = []
    /// What the jail's log says; nil: it could not be read.
    package var log: LogFinding?

    package init() {}
}

/// Of the control groups, as the kernel has them.
package struct GroupFigures: Equatable, Sendable {
    package var memory: UInt64?
    package var processes: UInt64?
    package var milliCPUs: UInt64?

    package init(memory: UInt64? = nil, processes: UInt64? = nil, milliCPUs: UInt64? = nil) {
        self.memory = memory
        self.processes = processes
        self.milliCPUs = milliCPUs
    }
}

package struct PublishedFinding: Equatable, Sendable {
    package var port: UInt16
    /// What listens inside was reached through the host's address that the plan names.
    package var isReached: Bool
    /// And through another address of the host's; nil: it has no other, or that one is meant to.
    package var isReachedElsewhere: Bool?

    package init(port: UInt16, isReached: Bool, isReachedElsewhere: Bool?) {
        self.port = port
        self.isReached = isReached
        self.isReachedElsewhere = isReachedElsewhere
    }
}

/// A jail's log after the probe has run in it.
package struct LogFinding: Equatable, Sendable {
    /// Nobody has changed it, as far as it can tell by itself.
    package var isIntact: Bool
    /// The names of its events, each once.
    package var events: Set<String>
    /// `METHOD host` of requests, and `name host`, that the way out has denied.
    package var denied: Set<String>

    package init(isIntact: Bool, events: Set<String>, denied: Set<String>) {
        self.isIntact = isIntact
        self.events = events
        self.denied = denied
    }
}
