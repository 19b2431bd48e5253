package import JailCore

/// Stops every process of a jail's group where it is, and lets it go on: cgroup.freeze of the kernel's cgroup-v2.rst.
///
/// A frozen process can be killed; any other signal waits until it goes on.
package struct Freezer {
    private let directory: String
    private let events: SharedDescriptor

    /// Version 1 has a hierarchy of its own for that, which no jail is in: nil.
    package init?(_ group: Cgroup) throws(SystemError) {
        guard group.isUnified, let directory = group.directories.first else { return nil }
        self.directory = directory
        events = SharedDescriptor(try System.open("\(directory)/cgroup.events", .readOnly))
    }

    /// Begins; ``isFrozen`` tells when the last process has stopped.
    package func set(frozen: Bool) throws(SystemError) {
        try Cgroup.writeFile("\(directory)/cgroup.freeze", frozen ? "1" : "0")
    }

    /// Whether every process stands still. Reading says that the news has been seen.
    package var isFrozen: Bool {
        get throws(SystemError) {
            Cgroup.counter(in: try System.read(events.borrowed, at: 0, most: 4096), "frozen") == 1
        }
    }

    /// Becomes ready when ``isFrozen`` may have changed.
    package var pollEntry: System.PollEntry { .init(events.borrowed, System.PollEvents.priority) }
}
