internal import EgressControl
internal import JailCore
internal import JailPlan
internal import SecretTraces

/// Looks out for canaries in what passes through the supervisor, and tells of those that anybody has seen.
///
/// One object for all who see something. What is looked through is not kept.
final class CanaryWatch {
    /// Which one is where.
    let planted: JSON
    private let kinds: [String: Canary.Kind]
    private let detector: CanaryDetector
    private var notices: [JailNotice] = []
    /// Of those that were seen since the last time, how many are told: whoever floods it must not fill the log.
    private var told = 0
    /// What people were told already: the rest is in the log.
    private var noted: Set<[String]> = []

    /// Events in one turn of the loop.
    private static let mostTold = 64

    init(_ planted: PlantedCanaries) throws(JailError) {
        self.planted = planted.json
        kinds = planted.kinds
        do throws(SecretTraces.Refusal) { detector = try CanaryDetector(planted.known) } catch {
            throw JailError(.supervise, reason: "a canary cannot be looked for: \(error)")
        }
    }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { (notices, told) = ([], 0) }
        return notices
    }

    // MARK: What the supervisor passes on

    /// For the answers of one connection to a published port: what has one in it does not go on, and neither does the rest.
    func portInspector(_ port: UInt16) -> Relay.Look {
        var scan = detector.scan()
        return { bytes in
            let found = scan.feed(bytes)
            for id in found { self.seen(id, .publishedPort, String(port), verdict: .denied) }
            return found.isEmpty
        }
    }

    /// For one stream that the command writes: it is told of, and goes on.
    ///
    /// - Parameter name: of the stream, for people.
    func outputLook(_ name: String) -> Relay.Look {
        var scan = detector.scan()
        return { bytes in
            for id in scan.feed(bytes) { self.seen(id, .log, name, verdict: nil) }
            return true
        }
    }

    // MARK: What the way out has seen

    /// - Returns: whether it can be so. What it says is from a process that may have been taken over.
    func take(_ event: EgressEvent) -> Bool {
        guard let id = event.canary, kinds[id] != nil, let place = event.place.flatMap(CanaryPlace.init(rawValue:)),
            [.request, .upload, .name].contains(place)
        else { return false }
        let host = event.host.map { host in event.port.map { $0 == 0 ? host : "\(host):\($0)" } ?? host }
        seen(id, place, host, verdict: event.verdict)
        return true
    }

    private func seen(_ id: String, _ place: CanaryPlace, _ where_: String?, verdict: EgressEvent.Verdict?) {
        guard told < Self.mostTold, let kind = kinds[id] else { return }
        told += 1
        var members: [(String, JSON)] = [
            ("event", "canary"), ("id", .string(id)), ("kind", .string(kind.rawValue)),
            ("place", .string(place.rawValue)),
        ]
        if let where_ { members.append(("to", .string(where_.printable))) }
        if let verdict { members.append(("verdict", .string(verdict.rawValue))) }
        if noted.insert([id, place.rawValue]).inserted {
            notices.append(.note("the canary '\(id)' was seen in \(place.words(where_?.printable))"))
        }
        notices.append(.event(.object(members)))
    }
}

extension CanaryPlace {
    /// For people: `a request to example.org:443`.
    func words(_ where_: String?) -> String {
        switch self {
        case .request: "a request to \(where_ ?? "?")"
        case .upload: "what was sent to \(where_ ?? "?")"
        case .name: "a name that was asked for, below \(where_ ?? "?")"
        case .publishedPort: "an answer of the published port \(where_ ?? "?")"
        case .log: "what the command wrote to \(where_ ?? "its output")"
        }
    }
}
