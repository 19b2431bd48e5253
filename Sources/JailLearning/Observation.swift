package import JailPolicy

/// Something that a program in a jail asked for, and what it was told, as `learn` saw it.
package struct Observation: Equatable, Sendable {
    package enum Subject: Hashable, Sendable {
        /// A path inside the jail, as the program meant it: absolute, without links followed.
        case file(path: String, access: FileAccess)
        /// A program that was looked for and is not inside: a bare name, or an absolute path.
        case program(String)
        /// A system call, by the kernel's name for this architecture.
        case systemCall(String)
        /// A TCP port that was to be bound.
        case bind(port: UInt16)
        /// A request or a name that the way out judged. What is nil was not known when it was judged.
        case network(NetworkSubjectFields)
        /// A limit that was reached: `memory`, `processes`, `openFiles`, `fileSize`, `tmp`, `data`, `home`, `cpus`.
        case limit(name: String, value: String)
    }

    /// How the answer is known.
    package enum Knowledge: String, CaseIterable, Sendable {
        /// The kernel, or the way out, gave it.
        case observed
        /// Worked out by the function that `explain` uses, before the kernel answered.
        case predicted
    }

    package enum Outcome: String, CaseIterable, Sendable {
        case denied
        /// It would have been denied; learning let it pass and wrote it down.
        case permitted
        /// The profile allows it, and it was used: what `--unused` subtracts.
        case used
    }

    package var subject: Subject
    package var outcome: Outcome
    package var knowledge: Knowledge
    /// What the kernel said, as `EACCES`; nil: nothing of the kind.
    package var errno: String?
    /// The program that asked, inside the jail; nil: not known.
    package var program: String?
    /// At least 1.
    package var count: Int

    package init(
        _ subject: Subject, _ outcome: Outcome, _ knowledge: Knowledge = .observed, errno: String? = nil,
        program: String? = nil, count: Int = 1
    ) {
        self.subject = subject
        self.outcome = outcome
        self.knowledge = knowledge
        self.errno = errno
        self.program = program
        self.count = count
    }
}

/// A request as the way out's events name it.
package struct NetworkSubjectFields: Hashable, Sendable {
    package var host: String
    package var port: UInt16?
    /// `http`, `https` or `tcp`.
    package var scheme: String?
    package var method: String?
    package var path: String?
    package var isWebSocket = false

    package init(host: String) { self.host = host }
}
