/// /etc/passwd, read strictly and by hand: a statically linked program has no NSS, and a line that is
/// half understood must not become somebody's identity.
package struct Accounts: Equatable, Sendable {
    /// One line of passwd(5).
    package struct User: Equatable, Sendable {
        package var name: String
        package var uid: UInt32
        package var gid: UInt32
        package var home: String
        /// Empty: the host's standard one.
        package var shell: String
    }

    package let users: [User]

    /// Lines without exactly seven fields, with an empty name, or with ids that are no decimal numbers are left out.
    package init(passwd: [UInt8]) {
        users = passwd.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count == 7, !fields[0].isEmpty, let uid = Self.number(fields[2]),
                let gid = Self.number(fields[3])
            else { return nil }
            return User(
                name: Self.text(fields[0]), uid: uid, gid: gid, home: Self.text(fields[5]),
                shell: Self.text(fields[6]))
        }
    }

    /// A host without the file has no accounts; one that cannot be read is an error, since it says where homes are.
    package init(path: String = "/etc/passwd") throws(JailError) {
        do { self.init(passwd: try System.readFile(path, limit: 4 << 20)) } catch {
            guard error.errno == .notFound else { throw JailError(.host, error, path: path) }
            self.init(passwd: [])
        }
    }

    /// By name, or by number if no name is spelled like that number.
    package func user(_ nameOrNumber: String) -> User? {
        if let user = users.first(where: { $0.name == nameOrNumber }) { return user }
        guard let uid = Self.number(ArraySlice(nameOrNumber.utf8)) else { return nil }
        return user(uid: uid)
    }

    package func user(uid: UInt32) -> User? { users.first { $0.uid == uid } }

    package static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A decimal number without sign, blanks or leading zeros that is a valid id; -1 means "no id" to the kernel.
    package static func number(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        guard let first = bytes.first, bytes.count <= 10, first != 0x30 || bytes.count == 1 else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return value < UInt64(UInt32.max) ? UInt32(value) : nil
    }
}

/// The groups of group(5), read as strictly. Who is in one by passwd(5) alone is not in its list.
package struct AccountGroups: Equatable, Sendable {
    package struct Group: Equatable, Sendable {
        package var name: String
        package var gid: UInt32
        package var members: [String]
    }

    package let groups: [Group]

    package init(group: [UInt8]) {
        groups = group.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count == 4, !fields[0].isEmpty, let gid = Accounts.number(fields[2]) else { return nil }
            return Group(
                name: Accounts.text(fields[0]), gid: gid, members: fields[3].split(separator: 0x2C).map(Accounts.text))
        }
    }

    package init(path: String = "/etc/group") throws(JailError) {
        do { self.init(group: try System.readFile(path, limit: 4 << 20)) } catch {
            guard error.errno == .notFound else { throw JailError(.host, error, path: path) }
            self.init(group: [])
        }
    }

    /// By name, or by number if no name is spelled like that number.
    package func group(_ nameOrNumber: String) -> Group? {
        if let group = groups.first(where: { $0.name == nameOrNumber }) { return group }
        guard let gid = Accounts.number(ArraySlice(nameOrNumber.utf8)) else { return nil }
        return groups.first { $0.gid == gid }
    }

    /// Whether one of a user's names is in a group, or it is the user's own.
    package func holds(_ uid: UInt32, in group: Group, _ accounts: Accounts) -> Bool {
        accounts.users.contains { $0.uid == uid && ($0.gid == group.gid || group.members.contains($0.name)) }
    }
}
