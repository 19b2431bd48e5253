package import JailCore
package import JailPlan

extension ScopePlan {
    /// Has this process put into a scope of its own, and looks where that is.
    ///
    /// - Parameter needed: controllers that must be there to be handed on.
    /// - Returns: the directory of the scope's control group, which is for this user to make groups in.
    package func enter(
        needing needed: [CgroupPlan.Controller], mount: String = "/sys/fs/cgroup",
        membership: String = "/proc/self/cgroup"
    ) throws(JailError) -> String {
        let unit = unit(System.processID)
        try ServiceManager(socket: socket).startScope(unit, description: description)
        let text = try attempt(.cgroup, membership) { () throws(SystemError) in try System.readFile(membership) }
        guard let path = Self.unifiedPath(text), path.hasSuffix("/\(unit)") else {
            throw JailError(
                .cgroup, path: membership, reason: "the service manager has not put this process into \(unit)")
        }
        let directory = mount + path
        let controllers = try attempt(.cgroup, directory) { () throws(SystemError) in
            try System.readFile(directory + "/cgroup.controllers")
        }
        let there = controllers.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A })
            .map { String(decoding: $0, as: UTF8.self) }
        let missing = needed.map(\.rawValue).filter { !there.contains($0) }
        guard missing.isEmpty else {
            throw JailError(
                .cgroup, path: directory, reason: "the scope has no controller \(missing.joined(separator: ", "))",
                hint: "'clawjail doctor' says what mends it")
        }
        return directory
    }

    /// The line of version 2, `0::PATH`, in what /proc/self/cgroup says.
    static func unifiedPath(_ text: [UInt8]) -> String? {
        let start = Array("0::/".utf8)
        for line in text.split(separator: 0x0A) where line.starts(with: start) {
            return String(validating: line.dropFirst(3), as: UTF8.self)
        }
        return nil
    }
}
