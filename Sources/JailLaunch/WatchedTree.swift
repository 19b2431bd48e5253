internal import JailCgroups
internal import JailCore

/// Files of a jail whose size nothing but the supervisor limits.
struct WatchedTree {
    private let directory: SharedDescriptor
    private let limit: UInt64
    /// What is told when it is over.
    let hit: LimitHit

    init(_ path: String, limit: UInt64, hit: LimitHit) throws(JailError) {
        directory = try attempt(.supervise, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        }
        self.limit = limit
        self.hit = hit
    }

    func isFull() throws(SystemError) -> Bool {
        try withExtendedLifetime(directory) { () throws(SystemError) in
            try DataDirectory.size(of: directory.borrowed, limit: limit) > limit
        }
    }
}
