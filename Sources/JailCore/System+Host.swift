internal import CLinux

/// What the host says of itself, and probes that leave nothing behind.
extension System {
    /// How many processors may run the caller, see sched_getaffinity(2).
    package static func availableProcessors() throws(SystemError) -> Int {
        Int(try check(.schedGetaffinity, cl_processor_count()))
    }

    /// Bytes of memory that the kernel can use, see sysinfo(2).
    package static func totalMemory() -> UInt64 { cl_total_memory() }

    /// Whether a file has an extended attribute, see getxattr(2). The last component is followed.
    package static func hasAttribute(_ name: String, _ path: String) -> Bool {
        unsafe cl_getxattr(path, name, nil, 0) > 0
    }

    /// The value of an extended attribute, at most `limit` bytes; nil if there is none.
    package static func attribute(_ name: String, _ path: String, limit: Int = 256) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe cl_getxattr(path, name, $0.baseAddress, $0.count) }
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }

    /// How far a throw-away child came on the way into namespaces of its own. nil: that step worked.
    package struct NamespaceTrial: Hashable, Sendable {
        /// A user namespace.
        package var user: Errno?
        /// Its id maps.
        package var maps: Errno?
        /// Mount, pid, net, ipc, uts and cgroup namespaces in it.
        package var others: Errno?
        /// A fresh /proc there. It is never attached anywhere.
        package var freshProc: Errno?

        package init(user: Errno? = nil, maps: Errno? = nil, others: Errno? = nil, freshProc: Errno? = nil) {
            self.user = user
            self.maps = maps
            self.others = others
            self.freshProc = freshProc
        }
    }

    /// Tries, in a child that ends at once, what a launch will do. A step after a failed one counts as failed like it.
    package static func tryNamespaces() throws(SystemError) -> NamespaceTrial {
        var steps: [Int32] = [0, 0, 0, 0]
        try check(.fork, unsafe cl_try_namespaces(&steps))
        func errno(_ index: Int) -> Errno? { steps[index] == 0 ? nil : Errno(-steps[index]) }
        return NamespaceTrial(user: errno(0), maps: errno(1), others: errno(2), freshProc: errno(3))
    }

    /// Whether this process could write a text to a file of its own in /proc: tried in a child that ends at once.
    package static func tryWriting(_ text: String, to path: String) throws(SystemError) {
        try check(.write, unsafe cl_try_write(path, text))
    }

    /// Whether the kernel takes seccomp filters, see PR_GET_SECCOMP and SECCOMP_GET_ACTION_AVAIL in seccomp(2).
    package static func hasSeccompFilters() -> Bool { cl_seccomp_available() == 0 }
}
