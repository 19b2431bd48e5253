package import JailCore
internal import JailPolicy

/// Who may look and decide without a token, by what the kernel says of them: the list of the host's administrator, for jails that
/// root starts. No profile adds to it.
package struct DeciderList: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        /// By name or number, as everything here.
        case user(String)
        case group(String)
    }

    package struct Entry: Equatable, Sendable {
        package var subject: Subject
        package var role: ApprovalRole
        /// Whose jails; nil: everybody's.
        package var owner: String?
    }

    package private(set) var entries: [Entry] = []

    package static let most = 200
    package static let sizeLimit = 64 << 10

    package init() {}

    /// - Parameter file: for messages.
    /// - Throws: it is no list of deciders; then nobody is one.
    package init(_ bytes: [UInt8], file: String) throws(JailError) {
        func refusal(_ reason: String) -> JailError {
            JailError(.runtime, path: file, reason: reason, hint: "docs/approvals.md shows what it looks like")
        }
        let value: JSON5Value
        do throws(JSON5Error) { value = try JSON5Reader.read(bytes, file: file) } catch {
            throw refusal(error.description)
        }
        guard case .object(let members) = value.content, members.count == 1,
            case .array(let elements)? = value["deciders"]?.content
        else { throw refusal("it must be { deciders: [ … ] }") }
        guard elements.count <= Self.most else { throw refusal("there are more than \(Self.most) deciders") }
        for (index, element) in elements.enumerated() {
            guard let entry = Self.entry(element) else {
                throw refusal(
                    "deciders[\(index)] must have one of 'user' and 'group', a 'role' that is one of "
                        + ApprovalRole.allCases.map(\.rawValue).joined(separator: ", ")
                        + ", perhaps an 'owner', and nothing else")
            }
            entries.append(entry)
        }
    }

    private static func entry(_ value: JSON5Value) -> Entry? {
        guard case .object(let members) = value.content else { return nil }
        var texts: [String: String] = [:]
        for member in members {
            guard ["user", "group", "role", "owner"].contains(member.key), let text = name(member.value),
                texts.updateValue(text, forKey: member.key) == nil
            else { return nil }
        }
        guard let role = texts["role"].flatMap(ApprovalRole.init(rawValue:)) else { return nil }
        switch (texts["user"], texts["group"]) {
        case (let user?, nil): return Entry(subject: .user(user), role: role, owner: texts["owner"])
        case (nil, let group?): return Entry(subject: .group(group), role: role, owner: texts["owner"])
        default: return nil
        }
    }

    private static func name(_ value: JSON5Value) -> String? {
        if let number = value.integer { return UInt32(exactly: number).map { String($0) } }
        guard let text = value.text, !text.isEmpty, text.utf8.count <= 256 else { return nil }
        return text
    }

    /// Empty if there is none.
    package static func read(_ path: String) throws(JailError) -> DeciderList {
        guard let bytes = try TrustedFile.read(path, limit: sizeLimit, isSecret: false) else { return DeciderList() }
        return try DeciderList(bytes, file: path)
    }

    /// What somebody may do about the jails of one user: what the first entry says that names them and those jails. A name that the
    /// host does not know is nobody's.
    ///
    /// - Parameters:
    ///   - accounts: of the host as it is now: who has left a group is in it no longer, whatever their processes say.
    ///   - owner: the user that the jail runs as.
    package func role(
        of uid: UInt32, forJailsOf owner: UInt32, _ accounts: Accounts, _ groups: AccountGroups
    ) -> ApprovalRole? {
        entries.first { entry in
            if let name = entry.owner, Self.uid(name, accounts) != owner { return false }
            switch entry.subject {
            case .user(let name): return Self.uid(name, accounts) == uid
            case .group(let name): return groups.group(name).map { groups.holds(uid, in: $0, accounts) } ?? false
            }
        }?.role
    }

    /// A number that no account has is a user as well.
    private static func uid(_ name: String, _ accounts: Accounts) -> UInt32? {
        accounts.user(name)?.uid ?? Accounts.number(ArraySlice(name.utf8))
    }
}
