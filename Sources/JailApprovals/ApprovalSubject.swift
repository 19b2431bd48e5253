package import JailCore
package import JailPolicy

/// What is asked for. Equal ones are one question.
package enum ApprovalSubject: Hashable, Sendable {
    /// A program with its arguments, the vector as it would be executed.
    case command([String])
    case network(AskedRequest)
    /// Changes of a workspace, by the id of what was changed.
    case workspace(String)
    /// A session with this profile.
    case session(profile: String)

    package var kind: ApprovalKind {
        switch self {
        case .command: .command
        case .network: .network
        case .workspace: .workspace
        case .session: .session
        }
    }

    /// One line for people, printable whatever a jail has put into it.
    package var text: String {
        switch self {
        // Not as a shell has it: what the words are is what is decided about.
        case .command(let words): JSON.strings(words).text().printable
        case .network(let subject): subject.text
        case .workspace(let id): "changes '\(id.printable)'"
        case .session(let profile): "a session of profile '\(profile.printable)'"
        }
    }

    package var members: [(String, JSON)] {
        var members: [(String, JSON)] = [("kind", .string(kind.rawValue)), ("subject", .string(text))]
        switch self {
        case .command(let words):
            members += [("program", .optional(words.first)), ("arguments", .strings(Array(words.dropFirst())))]
        case .network(let subject):
            members += [
                ("scheme", .string(subject.scheme.rawValue)), ("host", .string(subject.host.text)),
                ("port", .number(subject.port)), ("method", .string(subject.method)),
                ("path", .string(LoggedPath.text(subject.path.path))),
            ]
        case .workspace(let id): members.append(("changes", .string(id)))
        case .session(let profile): members.append(("profile", .string(profile)))
        }
        return members
    }
}
