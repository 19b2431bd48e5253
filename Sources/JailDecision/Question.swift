package import JailCore
package import JailPolicy

/// What a person asks about a jail.
package enum Question: Equatable, Sendable {
    case file(path: String, access: FileAccess)
    case program(String)
    case systemCall(String, argument: String?)
    case bind(port: UInt16)
    case command(CommandQuestion)
    case network(NetworkSubject)

    package static let grammar =
        "read|write|execute|connect PATH, program NAME, command LINE, syscall NAME [ARGUMENT], bind PORT, METHOD URL or "
        + "HOST[:PORT]"

    /// One word is a host; of several, a verb in lower case comes first, or a method. Errors are of the stage `usage`.
    package static func parse(_ words: [String]) throws(JailError) -> Question {
        guard words.count > 1, let verb = words.first else { return .network(try NetworkSubject.parse(words)) }
        if verb == "command" {
            return .command(words.count == 2 ? .line(words[1]) : .words(Array(words.dropFirst())))
        }
        do throws(ValueError) {
            switch (verb, words.count) {
            case ("read", 2), ("write", 2), ("execute", 2), ("connect", 2):
                guard let access = FileAccess(rawValue: verb) else { break }
                return .file(path: try path(words[1]), access: access)
            case ("program", 2):
                if words[1].utf8.contains(UInt8(ascii: "/")) { return .program(try path(words[1])) }
                _ = try ProgramRule.parse(words[1])
                return .program(words[1])
            case ("syscall", 2), ("syscall", 3):
                try Name.checkSystemCall(words[1])
                return .systemCall(words[1], argument: words.count == 3 ? words[2] : nil)
            case ("bind", 2): return .bind(port: try Port.parse(words[1]))
            default: break
            }
        } catch {
            throw JailError(.usage, reason: "what is asked \(error.reason)", hint: error.hint)
        }
        guard words.count == 2 else { throw JailError(.usage, reason: "what is asked must be \(grammar)") }
        return .network(try NetworkSubject.parse(words))
    }

    /// As it is called inside. `.` and `..` may be in it: they are followed as the kernel follows them.
    private static func path(_ text: String) throws(ValueError) -> String {
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw ValueError(expected: "an absolute path, as it is called inside", found: text)
        }
        guard text.utf8.count <= AbsolutePath.longest, !text.utf8.contains(0) else {
            throw ValueError("must be a path of at most \(AbsolutePath.longest) bytes")
        }
        return text
    }

    /// `read /etc/passwd`, for the answer.
    package var text: String {
        switch self {
        case .file(let path, let access): "\(access.rawValue) \(path)"
        case .program(let name): "program \(name)"
        case .systemCall(let name, let argument): "syscall \(name)" + (argument.map { " \($0)" } ?? "")
        case .bind(let port): "bind \(port)"
        case .command(let question): "command \(question.text)"
        case .network(let subject): subject.typed
        }
    }
}
