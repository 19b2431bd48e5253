package import JailCore
package import JailPlan

/// /etc/group, read strictly and by hand as ``Accounts`` reads users.
package struct Groups: Equatable, Sendable {
    private struct Entry: Equatable {
        var name: String
        var gid: UInt32
        var members: [String]
    }

    private let entries: [Entry]

    /// Lines of group(5) without exactly four fields, with an empty name, or with an id that is none are left out.
    package init(group: [UInt8]) {
        entries = group.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count == 4, !fields[0].isEmpty, let gid = Accounts.number(fields[2]) else { return nil }
            let members = fields[3].split(separator: 0x2C).map { String(decoding: $0, as: UTF8.self) }
            return Entry(name: String(decoding: fields[0], as: UTF8.self), gid: gid, members: members)
        }
    }

    package init(path: String = "/etc/group") throws(JailError) {
        do { self.init(group: try System.readFile(path, limit: 4 << 20)) } catch {
            guard error.errno == .notFound else { throw JailError(.host, error, path: path) }
            self.init(group: [])
        }
    }

    package func name(of gid: UInt32) -> String? { entries.first { $0.gid == gid }?.name }

    /// Those that list a user, each once, besides its own.
    package func supplementary(of user: Accounts.User) -> [HostUser.Group] {
        var groups: [HostUser.Group] = []
        for entry in entries
        where entry.gid != user.gid && entry.members.contains(user.name)
            && !groups.contains(where: { $0.gid == entry.gid })
        {
            groups.append(HostUser.Group(name: entry.name, gid: entry.gid))
        }
        return groups
    }
}
