package import JailCore
package import JailPlan

extension Accounts.User {
    package var identity: HostIdentity { HostIdentity(name: name, uid: uid, gid: gid) }
}

extension Accounts {
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
}
