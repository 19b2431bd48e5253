package import JailCore

/// Changes, each of which is written down before it is made. All of them take the lock.
extension SecretStore {
    /// Of whom and when.
    package struct Change {
        /// As people know them.
        package var who: String
        /// Seconds since the epoch.
        package var time: Int64

        package init(who: String, time: Int64) {
            self.who = who
            self.time = time
        }
    }

    /// The longest that a value before may count: 30 days, in seconds.
    package static let mostGrace: Int64 = 30 * 86_400

    /// - Parameter what: how it is written down.
    package func add(
        _ name: String, _ value: borrowing SecretBytes, _ change: Change, what: String = "set"
    ) throws(JailError) {
        try SecretName.check(name)
        guard try !names().contains(name) else { throw Self.isThere(name) }
        try confirmKey()
        let header = try header(name, created: change.time)
        try record(what, name, change)
        try put(header, current: value, previous: nil, replacing: false)
    }

    /// The present value becomes the one before.
    ///
    /// - Parameter grace: seconds for which that one still counts; 0: not at all.
    package func rotate(
        _ name: String, to value: borrowing SecretBytes, grace: Int64, _ change: Change
    ) throws(JailError) {
        let present = try open(name)
        guard !present.current.bytes.isSame(as: value) else {
            throw JailError(
                .secrets, reason: "'\(name)' has that value already", hint: "nothing was changed",
                status: ExitStatus.exists)
        }
        let grace = max(0, min(grace, Self.mostGrace))
        let header = try header(
            name, created: present.header.created, rotated: change.time,
            graceEnd: grace > 0 ? change.time + grace : nil)
        try record("rotate", name, change, [("graceSeconds", .number(grace))])
        try put(header, current: value, previous: grace > 0 ? present.current : nil, replacing: true)
    }

    /// Whether or not it can be opened.
    package func remove(_ name: String, _ change: Change) throws(JailError) {
        try SecretName.check(name)
        guard try names().contains(name) else {
            throw JailError(
                .secrets, reason: "there is no secret '\(name)'", hint: "'clawjail secret list' lists them",
                status: ExitStatus.notThere)
        }
        try record("remove", name, change)
        try delete(name)
    }

    /// Values before whose grace is over are taken out of their files. What cannot be opened stays as it is.
    package func dropOutdated(now: Int64) throws(JailError) {
        for name in try names() {
            guard let secret = try? open(name), let end = secret.header.graceEnd, end <= now else { continue }
            let header = try header(name, created: secret.header.created, rotated: secret.header.rotated)
            try put(header, current: secret.current.bytes, previous: nil, replacing: true)
        }
    }

    private func header(
        _ name: String, created: Int64, rotated: Int64? = nil, graceEnd: Int64? = nil
    ) throws(JailError) -> SecretHeader {
        let generation = try attempt(.secrets) { () throws(SystemError) in
            try System.randomBytes(SecretHeader.generationSize)
        }
        return SecretHeader(
            name: name, key: try key().id, generation: generation, created: created, rotated: rotated,
            graceEnd: graceEnd)
    }

    /// In the store: who has changed which secret, and when, one JSON object on a line. Names alone.
    package static let historyFile = "history.jsonl"

    private func record(
        _ what: String, _ name: String, _ change: Change, _ more: [(String, JSON)] = []
    ) throws(JailError) {
        let record: [(String, JSON)] = [
            ("time", .string(UTCTime.text(change.time))), ("what", .string(what)), ("name", .string(name)),
            ("who", .string(change.who)),
        ]
        try attempt(.secrets, "\(path)/\(Self.historyFile)") { () throws(SystemError) in
            let file = try System.open(
                Self.historyFile, [.writeOnly, .create, .append, .noFollow, .nonBlocking], mode: 0o600,
                at: directory.borrowed)
            guard try System.status(of: file.borrowed).kind == .regular else { throw SystemError(.check, .invalid) }
            try System.writeAll(file.borrowed, JSON.object(record + more).text() + "\n")
            try System.synchronize(file.borrowed)
        }
    }
}
