internal import JailCore
internal import JailPolicy

/// Limits that were reached, doubled, up to a bound; and ports that were to be listened on.
struct LimitSuggester {
    let profile: Profile

    func suggest(_ observations: [Observation]) -> [Found] {
        var limits: [(key: String, observations: [Observation])] = []
        var found: [Found] = []
        for observation in observations where observation.isWanted {
            switch observation.subject {
            case .limit(let name, _):
                // As `learn` names it, or by its key, as the log does.
                let key = name.contains(".") ? name : Self.keys[name] ?? name
                if let index = limits.firstIndex(where: { $0.key == key }) {
                    limits[index].observations.append(observation)
                } else {
                    limits.append((key, [observation]))
                }
            case .bind(let port): if let one = bind(port, observation) { found.append(one) }
            default: break
            }
        }
        return limits.compactMap { limit($0.key, $0.observations) } + found
    }

    private static let keys = [
        "memory": "limits.memory", "processes": "limits.processes", "openFiles": "limits.openFiles",
        "fileSize": "limits.fileSize", "cpus": "limits.cpus", "tmp": "filesystem.tmp", "home": "filesystem.home",
        "sharedMemory": "filesystem.sharedMemory", "data": "filesystem.data",
    ]

    /// How far doubling goes: what is more than that is for a person to say.
    private static let bounds: [String: UInt64] = [
        "limits.memory": 16 << 30, "limits.fileSize": 64 << 30, "filesystem.tmp": 4 << 30, "filesystem.home": 4 << 30,
        "filesystem.sharedMemory": 4 << 30, "filesystem.data": 256 << 30, "limits.processes": 8192,
        "limits.openFiles": 65_536, "limits.cpus": 16_000,
    ]

    private func limit(_ key: String, _ observations: [Observation]) -> Found? {
        let key = key == "filesystem.data.size" ? "filesystem.data" : key
        guard let bound = Self.bounds[key] else { return .no(observations, "no key of a profile sets this limit") }
        // Not limited by this profile, or no longer; or reached when it was lower, which says nothing of what it is now.
        guard let now = profile.amount(of: key) else { return nil }
        let observations = observations.filter { one in
            guard case .limit(_, let value) = one.subject, let then = Self.amount(value, key) else { return true }
            return then >= now
        }
        if observations.isEmpty { return nil }
        guard now > 0, now <= bound / 2 else {
            return .no(
                observations,
                "\(key) is \(Self.text(now, key)), and is not raised without a person who says by how much")
        }
        let suggestion = Suggestion(
            change: ProfileChange(key: key, value: Self.value(now * 2, key), isElement: false),
            evidence: Evidence(observations), risk: Self.risk(key, now * 2), advisedAgainst: nil)
        return profile.offer(suggestion, .limit, for: observations) { $0.amount(of: key) == now * 2 }
    }

    private func bind(_ port: UInt16, _ observation: Observation) -> Found? {
        guard let listen = profile.network.listen else {
            return .no(
                [observation], "the profile lets any port be bound: it was in use, or the program has no right to it")
        }
        guard !listen.contains(port), port > 0 else { return nil }
        let suggestion = Suggestion(
            change: ProfileChange(key: "network.listen", value: String(port), isElement: true),
            evidence: Evidence([observation]),
            risk: "other programs of the jail can speak to it; from outside nobody can, until the port is published",
            advisedAgainst: nil)
        return profile.offer(suggestion, .bind, for: [observation]) { $0.network.listen?.contains(port) == true }
    }

    private static func risk(_ key: String, _ amount: UInt64) -> String {
        let most = text(amount, key)
        return switch key {
        case "limits.memory": "a jail that has gone wrong takes up to \(most) of the host's memory"
        case "limits.processes": "a jail that has gone wrong makes up to \(most) processes and threads"
        case "limits.cpus": "a jail that has gone wrong takes \(most) processors from everybody else"
        case "limits.openFiles": "up to \(most) open files for each process, which cost memory of the kernel's"
        case "filesystem.data": "up to \(most) of the host's disk"
        case "limits.fileSize": "one file may have up to \(most)"
        default: "up to \(most) of memory, which limits.memory counts as well"
        }
    }

    /// nil: it is not known.
    private static func amount(_ text: String, _ key: String) -> UInt64? {
        switch key {
        case "limits.processes", "limits.openFiles": UInt64(text)
        case "limits.cpus": try? ProcessorShare.parse(text)
        default: try? ByteSize.parse(text)
        }
    }

    private static func value(_ amount: UInt64, _ key: String) -> String {
        switch key {
        case "limits.processes", "limits.openFiles": String(amount)
        case "limits.cpus": ProcessorShare.format(amount)
        case "filesystem.data": "{ size: \"\(ByteSize.format(amount))\" }"
        default: "\"\(ByteSize.format(amount))\""
        }
    }

    private static func text(_ amount: UInt64, _ key: String) -> String {
        switch key {
        case "limits.processes", "limits.openFiles": String(amount)
        case "limits.cpus": ProcessorShare.format(amount)
        default: ByteSize.format(amount)
        }
    }
}

extension Profile {
    /// A limit in its own unit; nil: there is none.
    func amount(of key: String) -> UInt64? {
        switch key {
        case "limits.memory": limits.memory
        case "limits.processes": limits.processes
        case "limits.openFiles": limits.openFiles
        case "limits.fileSize": limits.fileSize
        case "limits.cpus": limits.milliCPUs
        case "filesystem.tmp": filesystem.tmp
        case "filesystem.home": filesystem.home
        case "filesystem.sharedMemory": filesystem.sharedMemory
        case "filesystem.data": filesystem.data?.size
        default: nil
        }
    }
}
