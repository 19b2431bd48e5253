package import JailCore
package import JailPolicy

/// What is asked for. Equal ones are one question.
package enum ApprovalSubject: Hashable, Sendable {
    case command(AskedCommand)
    case network(AskedRequest)
    case session(AskedSession)

    package var kind: ApprovalKind {
        switch self {
        case .command: .command
        case .network: .network
        case .session: .session
        }
    }

    /// One line for people, printable whatever a jail has put into it.
    package var text: String {
        switch self {
        case .command(let command): command.text
        case .network(let subject): subject.text
        case .session(let session): session.text
        }
    }

    package var members: [(String, JSON)] {
        var members: [(String, JSON)] = [("kind", .string(kind.rawValue)), ("subject", .string(text))]
        switch self {
        case .command(let command): members += command.members
        case .network(let subject):
            members += [
                ("scheme", .string(subject.scheme.rawValue)), ("host", .string(subject.host.text)),
                ("port", .number(subject.port)), ("method", .string(subject.method)),
                ("path", .string(LoggedPath.text(subject.path.path))),
            ]
        case .session(let session): members += session.members
        }
        return members
    }
}
