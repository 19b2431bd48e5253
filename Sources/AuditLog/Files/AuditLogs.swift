internal import JailCore

/// The logs of a state directory: one for each jail, and below it those of the sessions that it has had made.
package struct AuditLogs: Sendable {
    package struct Log: Sendable {
        /// `NAME`, or `GATEWAY/ID`.
        package let jail: String
        package let directory: AuditDirectory
    }

    private static let sessions = "sessions"

    /// In the order of their names.
    package static func all(below base: String) -> [Log] {
        names(base).flatMap { name in
            let own = Log(jail: name, directory: AuditDirectory("\(base)/\(name)"))
            let below = "\(base)/\(name)/\(sessions)"
            return [own]
                + names(below).map { Log(jail: "\(name)/\($0)", directory: AuditDirectory("\(below)/\($0)")) }
        }
    }

    /// - Parameter jail: as in ``Log/jail``.
    package static func log(of jail: String, below base: String) -> Log {
        let parts = jail.split(separator: "/", maxSplits: 1)
        let path = parts.count == 2 ? "\(base)/\(parts[0])/\(sessions)/\(parts[1])" : "\(base)/\(jail)"
        return Log(jail: jail, directory: AuditDirectory(path))
    }

    private static func names(_ path: String) -> [String] {
        guard let directory = try? System.open(path, [.readOnly, .directory, .noFollow]),
            let entries = try? System.names(in: directory.borrowed)
        else { return [] }
        return entries.filter { $0.kind == 4 && !$0.name.hasPrefix(".") }.map(\.name).sorted()
    }
}
