package import JailCore
internal import JailPlan

/// What keeps a jail from being started again: a file in clawjail's state directory, for a name or for all.
///
/// Whether it is there is all that counts. What it says is for people, and who garbles it unlocks nothing.
package enum LockdownMarker {
    package enum Subject: Equatable, Sendable {
        case all
        case jail(String)
        /// A session that another jail has had made.
        case session(String, of: String)

        /// No name of a jail has a capital letter or a colon.
        fileprivate var file: String {
            switch self {
            case .all: "ALL.json"
            case .jail(let name): "\(name).json"
            case .session(let id, let gateway): "\(gateway):\(id).json"
            }
        }

        /// As people write it.
        package var shown: String {
            switch self {
            case .all: "--all"
            case .jail(let name): name
            case .session(let id, let gateway): "\(gateway)/\(id)"
            }
        }

        fileprivate init?(file: String) {
            guard file.hasSuffix(".json"), !file.hasPrefix(".") else { return nil }
            let name = String(file.dropLast(5))
            if name == "ALL" {
                self = .all
                return
            }
            let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
            self = parts.count == 2 ? .session(parts[1], of: parts[0]) : .jail(name)
        }
    }

    package static let historyFile = ".history.jsonl"

    package static func directory(_ state: String) -> String { "\(state)/lockdown" }

    /// When this returns, a start that has not looked yet will not succeed, also after a power cut.
    package static func write(_ text: JSON, for subject: Subject, in state: String) throws(JailError) {
        let path = directory(state)
        try attempt(.lockdown, "\(path)/\(subject.file)") { () throws(SystemError) in
            try PrivateDirectory.make(path)
            let directory = try System.open(path, [.readOnly, .directory, .noFollow])
            let file = try System.open(
                "\(subject.file).new", [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: directory.borrowed)
            try System.writeAll(file.borrowed, text.text() + "\n")
            try System.synchronize(file.borrowed)
            try System.rename("\(subject.file).new", to: subject.file, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
            // The directory itself may be as new as the file.
            let above = try System.open(state, [.readOnly, .directory])
            try System.synchronize(above.borrowed)
        }
    }

    /// Who is locked down, in order.
    package static func all(in state: String) throws(JailError) -> [Subject] {
        do throws(SystemError) {
            let directory = try System.open(directory(state), [.readOnly, .directory, .noFollow])
            return try System.names(in: directory.borrowed).map(\.name).sorted().compactMap { Subject(file: $0) }
        } catch {
            if error.errno == .notFound { return [] }
            throw JailError(.lockdown, error, path: directory(state))
        }
    }

    /// What the marker says; nil: there is none.
    package static func read(_ subject: Subject, in state: String) throws(JailError) -> [UInt8]? {
        let path = "\(directory(state))/\(subject.file)"
        do throws(SystemError) { return try System.readFile(path, resolve: .noSymlinks) } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.lockdown, error, path: path)
        }
    }

    /// Lifts it, after that has been written down beside it.
    package static func remove(_ subject: Subject, in state: String, history: JSON) throws(JailError) {
        try attempt(.lockdown, "\(directory(state))/\(subject.file)") { () throws(SystemError) in
            let directory = try System.open(directory(state), [.readOnly, .directory, .noFollow])
            let file = try System.open(
                historyFile, [.writeOnly, .create, .append, .noFollow], mode: 0o600, at: directory.borrowed)
            try System.writeAll(file.borrowed, history.text() + "\n")
            try System.synchronize(file.borrowed)
            try System.unlink(subject.file, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        }
    }

    // MARK: Starting

    /// Refuses to start what is locked down, or may be: what cannot be looked at counts as locked.
    ///
    /// A launch asks twice, and the second time once its name is claimed. Whoever locks down writes the marker first, and
    /// looks then which names are claimed: so either the launch sees the marker, or the lockdown sees the jail.
    static func check(_ plan: LaunchPlan) throws(JailError) {
        try check(plan.name, gateway: plan.gateway, in: plan.stateDirectory)
    }

    /// The same for whoever would change what a jail has, and asks once its name is reserved: that is evidence.
    package static func check(_ name: String, gateway: String? = nil, in state: String) throws(JailError) {
        var subjects = [Subject.all, .jail(gateway ?? name)]
        if let gateway { subjects.append(.session(name, of: gateway)) }
        for subject in subjects {
            let path = "\(directory(state))/\(subject.file)"
            do throws(SystemError) { _ = try System.status(path) } catch {
                if error.errno == .notFound { continue }
                throw JailError(.lockdown, error, path: path, status: ExitStatus.configuration)
            }
            throw refusal(subject, isSession: gateway != nil, in: state)
        }
    }

    /// Of a session the jail that asked for it hears, which is told neither by whom nor why.
    private static func refusal(_ subject: Subject, isSession: Bool, in state: String) -> JailError {
        JailError(
            .lockdown, reason: subject == .all ? "all jails are locked down" : "jail '\(subject.shown)' is locked down",
            hint: !isSession
                ? "once it is clear what happened: clawjail unlock \(subject.shown) --reason TEXT; "
                    + "\(directory(state)) says who did it, and why" : nil,
            status: ExitStatus.configuration)
    }
}
