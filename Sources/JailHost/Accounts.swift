package import JailCore
package import JailPlan

/// /etc/passwd and /etc/subgid, read strictly and by hand: a statically linked program has no NSS, and a line that is
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

        package var identity: HostIdentity { HostIdentity(name: name, uid: uid, gid: gid) }
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

    /// The first subordinate id of a user (by name or number) in the text of subgid(5); nil if there is none.
    package static func firstSubordinate(of user: HostIdentity, in subordinates: [UInt8]) -> UInt32? {
        for line in subordinates.split(separator: 0x0A) {
            let fields = line.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count == 3, let first = number(fields[1]), let count = number(fields[2]), first > 0, count > 0
            else { continue }
            if text(fields[0]) == user.name || number(fields[0]) == user.uid { return first }
        }
        return nil
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A decimal number without sign, blanks or leading zeros that is a valid id; -1 means "no id" to the kernel.
    static func number(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        guard let first = bytes.first, bytes.count <= 10, first != 0x30 || bytes.count == 1 else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return value < UInt64(UInt32.max) ? UInt32(value) : nil
    }
}
