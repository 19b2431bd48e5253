package import JailCore

/// What one profile may do that another may not, in words.
package enum PermissionDiff {
    package enum Direction: String, Sendable {
        case more, less, other
    }

    package struct Line: Equatable, Sendable, CustomStringConvertible {
        package let direction: Direction
        package let key: String
        package let text: String

        /// `+ may also POST to hooks.example.org/build`
        package var description: String {
            let sign =
                switch direction {
                case .more: "+"
                case .less: "-"
                case .other: "~"
                }
            return "\(sign) \(text.printable)"
        }
    }

    /// In the order of the keys; empty if both say the same, and only then.
    package static func lines(from old: Profile, to new: Profile) -> [Line] {
        let changes = ProfileDiff.lines(from: old, to: new)
        var keys: [String] = []
        for change in changes where !keys.contains(change.key) { keys.append(change.key) }
        return keys.flatMap { key -> [Line] in
            let words = PermissionWords(key: key, old: old, new: new)
            let lines = changes.filter { $0.key == key }.flatMap { words.lines($0.change) }
            let all = key == "network.allow" ? words.network : lines
            guard all.isEmpty, key != "filesystem.read" else { return all }
            return [words.line(.other, "says \(key) otherwise, to the same effect")]
        }
    }

    package static func json(_ lines: [Line]) -> JSON {
        .array(
            lines.map {
                ["direction": .string($0.direction.rawValue), "key": .string($0.key), "text": .string($0.text)]
            })
    }
}

/// Words for the changes of one key.
struct PermissionWords {
    typealias Line = PermissionDiff.Line
    let key: String
    let old: Profile
    let new: Profile

    func line(_ direction: PermissionDiff.Direction, _ text: String) -> Line {
        Line(direction: direction, key: key, text: text)
    }

    func lines(_ change: ProfileDiff.Change) -> [Line] {
        switch change {
        // What is written may be read as well: it is told once.
        case .added(let text): isRead(text, in: old) ? [] : added(text, .more)
        case .removed(let text): isRead(text, in: new) ? [] : added(text, .less)
        case .changed(let before, let after): changed(before, after)
        }
    }

    private func isRead(_ text: String, in other: Profile) -> Bool {
        key == "filesystem.read" && other.filesystem.write.contains { $0.shown == text }
    }

    // MARK: Lists

    private func added(_ text: String, _ direction: PermissionDiff.Direction) -> [Line] {
        let may = direction == .more ? "may also" : "may no longer"
        guard let phrase = phrase(text) else {
            return [line(.other, direction == .more ? "\(key): \(text)" : "\(key): no \(text)")]
        }
        // A denial and an anchor take away, or bind.
        if key == "network.deny" {
            return [
                line(
                    direction == .more ? .less : .more,
                    direction == .more ? "may not reach \(text)" : "is not kept from \(text)")
            ]
        }
        return [line(direction, "\(may) \(phrase)")]
    }

    /// What follows "may also"; nil: the key grants nothing.
    private func phrase(_ text: String) -> String? {
        switch key {
        case "process.programs": text.hasSuffix("/") ? "run every program in \(text)" : "run \(text)"
        case "process.passEnvironment": "see the caller's \(text)"
        // The value may be a secret.
        case "process.environment": "see \(text.prefix { $0 != "=" }) in its environment"
        case "process.systemCalls": "make the system call \(text)"
        case "filesystem.read": "read \(text)"
        case "filesystem.write": "write \(text)"
        case "network.publish": "be reached at \(text)"
        case "network.listen": "listen on \(text)"
        case "network.allowPrivate": "reach private addresses in \(text)"
        case "network.deny": text
        case "commands":
            // The values of its environment may be secrets.
            (old.commands.rules + new.commands.rules).first { $0.shown == text }
                .map { "have run: \($0.shown(hasValues: false))" }
        case "sessions": "have other jails made: \(text)"
        // The time is no permission.
        case "approvals": text.hasSuffix("yes") ? "have more by approval; \(text)" : nil
        case "optional": "start without \(text), where the host has none"
        default: nil
        }
    }

    var network: [Line] {
        let (before, after) = (NetworkAbility.all(old.network.allow), NetworkAbility.all(new.network.allow))
        let gone = NetworkAbility.texts(before.filter { !after.contains($0) })
        let come = NetworkAbility.texts(after.filter { !before.contains($0) })
        return gone.map { line(.less, "may no longer \($0)") } + come.map { line(.more, "may also \($0)") }
    }

    // MARK: Single values

    private func changed(_ before: String, _ after: String) -> [Line] {
        if let amount = amount() { return [amount] }
        switch key {
        // The values may be secrets.
        case "process.environment":
            return [line(.other, "sees another \(before.prefix { $0 != "=" }) in its environment")]
        case "process.shell":
            return [flag(new.process.shell, "run code that is in no file, as shells and their tools do")]
        case "process.secretProvider":
            return [flag(new.process.secretProvider, "ask clawjail-secrets for the placeholders of its secrets")]
        case "filesystem.executeWritable":
            return [flag(new.filesystem.executeWritable, "execute what it has written")]
        case "filesystem.workspace": return [workspace(before, after)]
        case "filesystem.root":
            let isWider = new.filesystem.root != .minimal
            return [line(isWider ? .more : .less, "sees as its root: \(after), instead of \(before)")]
        case "filesystem.data" where before == "none": return [line(.more, "may keep \(after)")]
        case "filesystem.data" where after == "none": return [line(.less, "may no longer keep \(before)")]
        case "filesystem.data": return [line(.other, "keeps \(after) instead of \(before)")]
        case "process.user": return [line(.other, "runs as \(after) instead of \(before)")]
        default: return [line(.other, "\(key): \(after) instead of \(before)")]
        }
    }

    private func flag(_ isOn: Bool, _ phrase: String) -> Line {
        line(isOn ? .more : .less, "\(isOn ? "may also" : "may no longer") \(phrase)")
    }

    private func workspace(_ before: String, _ after: String) -> Line {
        let order = WorkspaceAccess.allCases.map(\.rawValue)
        let isMore = (order.firstIndex(of: after) ?? 0) > (order.firstIndex(of: before) ?? 0)
        let words = ["none": "see no workspace", "readOnly": "read the workspace", "readWrite": "write the workspace"]
        let subject = isMore ? "may also" : after == "none" ? "may" : "may only"
        return line(isMore ? .more : .less, "\(subject) \(words[after] ?? after)")
    }

    /// `may use 1G of memory instead of 512M`
    private func amount() -> Line? {
        guard let kind = Self.amounts.first(where: { $0.key == key }) else { return nil }
        let (before, after) = (kind.value(old), kind.value(new))
        let direction: PermissionDiff.Direction = (after ?? .max) > (before ?? .max) ? .more : .less
        func text(_ amount: UInt64?) -> String {
            amount.map { kind.isSize ? ByteSize.format($0) : kind.isThousandths ? thousandths($0) : "\($0)" }
                ?? "no limit"
        }
        if kind.isPlace, before == 0 { return line(.more, "may also write \(text(after)) to \(kind.what)") }
        if kind.isPlace, after == 0 { return line(.less, "may no longer write to \(kind.what)") }
        guard let after else { return line(.more, "may use \(kind.what) without limit instead of \(text(before))") }
        let what = kind.isSize ? "of \(kind.what)" : kind.what
        return line(
            direction, "may use \(text(after)) \(what) instead of \(before == nil ? "any amount" : text(before))")
    }

    private func thousandths(_ amount: UInt64) -> String {
        amount % 1000 == 0 ? "\(amount / 1000)" : "\(amount / 1000).\((amount % 1000 + 99) / 100)"
    }

    private struct Amount: Sendable {
        var key: String
        var what: String
        var isSize = false
        var isThousandths = false
        /// A directory of its own: 0 means that there is none.
        var isPlace = false
        var value: @Sendable (Profile) -> UInt64?
    }

    private static let amounts = [
        Amount(key: "limits.memory", what: "memory", isSize: true) { $0.limits.memory },
        Amount(key: "limits.swap", what: "swap", isSize: true) { $0.limits.swap },
        Amount(key: "limits.processes", what: "processes") { $0.limits.processes },
        Amount(key: "limits.cpus", what: "processors", isThousandths: true) { $0.limits.milliCPUs },
        Amount(key: "limits.openFiles", what: "open files") { $0.limits.openFiles },
        Amount(key: "limits.fileSize", what: "the largest file", isSize: true) { $0.limits.fileSize },
        Amount(key: "filesystem.tmp", what: "/tmp", isSize: true, isPlace: true) { $0.filesystem.tmp },
        Amount(key: "filesystem.sharedMemory", what: "/dev/shm", isSize: true, isPlace: true) {
            $0.filesystem.sharedMemory
        },
        Amount(key: "filesystem.home", what: "its home directory", isSize: true, isPlace: true) { $0.filesystem.home },
        Amount(key: "network.budgets.requestsPerMinute", what: "requests per minute") {
            $0.network.budgets.requestsPerMinute
        },
        Amount(key: "network.budgets.connectionsPerMinute", what: "connections per minute") {
            $0.network.budgets.connectionsPerMinute
        },
        Amount(key: "network.budgets.connections", what: "connections at once") { $0.network.budgets.connections },
        Amount(key: "network.budgets.uploadPerHour", what: "upload per hour", isSize: true) {
            $0.network.budgets.uploadPerHour
        },
    ]
}
