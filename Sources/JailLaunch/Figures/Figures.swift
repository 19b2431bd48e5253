internal import EgressControl
internal import JailCore

/// What has happened to a jail, in numbers: counted from its events, and from nothing else. However much happens, it takes
/// the same memory.
struct Figures {
    struct Tally: Equatable {
        var allowed: UInt64 = 0
        var denied: UInt64 = 0
        var failed: UInt64 = 0

        fileprivate mutating func add(_ verdict: EgressEvent.Verdict) {
            switch verdict {
            case .allowed: allowed += 1
            case .denied: denied += 1
            case .failed: failed += 1
            }
        }

        fileprivate var json: JSON {
            ["allowed": .number(allowed), "denied": .number(denied), "failed": .number(failed)]
        }
    }

    private(set) var names = Tally()
    private(set) var connections = Tally()
    private(set) var requests = Tally()
    /// Bytes of bodies and of connections that were passed through, as they end.
    private(set) var sent: UInt64 = 0
    private(set) var received: UInt64 = 0
    private(set) var executed: UInt64 = 0
    private(set) var refusedExecs: UInt64 = 0
    /// How often the way out has ended, and was started again.
    private(set) var egressEnds: UInt64 = 0
    private(set) var egressRestarts: UInt64 = 0
    /// By the profile's key that raises the limit.
    private(set) var limits: [String: UInt64] = [:]
    private(set) var recent = RecentEvents()
    private var connectionsNow = MinuteCount()
    private var requestsNow = MinuteCount()
    private var denialsNow = MinuteCount()

    /// Keys of limits there are fewer.
    private static let mostLimits = 32

    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - time: milliseconds since the epoch.
    mutating func take(_ event: JSON, now: Int64, time: Int64) {
        guard case .object(let members) = event, let name = Self.text("event", members) else { return }
        var isAllowed = false
        switch name {
        case "network": isAllowed = takeNetwork(members, second: now / 1_000_000_000)
        case "executed": executed += 1
        case "exec-refused": refusedExecs += 1
        case "egress":
            egressEnds += 1
            if Self.text("then", members) == "restart" { egressRestarts += 1 }
        case "limit":
            guard let key = Self.text("limit", members), limits[key] != nil || limits.count < Self.mostLimits else {
                break
            }
            limits[key, default: 0] += 1
        default: break
        }
        recent.add(event, isAllowed: isAllowed, time: time)
    }

    /// True for what was allowed.
    private mutating func takeNetwork(_ members: [(String, JSON)], second: Int64) -> Bool {
        guard let subject = Self.text("subject", members).flatMap(EgressEvent.Subject.init(rawValue:)),
            let verdict = Self.text("verdict", members).flatMap(EgressEvent.Verdict.init(rawValue:))
        else { return false }
        switch subject {
        case .name: names.add(verdict)
        case .connection:
            connections.add(verdict)
            connectionsNow.add(at: second)
        case .request:
            requests.add(verdict)
            requestsNow.add(at: second)
        // Its own troubles are nothing that the jail has asked for.
        case .gateway, .secretReturned, .secretExchanged, .canary: return false
        }
        if verdict == .denied { denialsNow.add(at: second) }
        sent = Self.sum(sent, Self.number("sent", members))
        received = Self.sum(received, Self.number("received", members))
        return verdict == .allowed
    }

    private static func text(_ key: String, _ members: [(String, JSON)]) -> String? {
        for (name, value) in members where name == key {
            if case .string(let text) = value { return text }
        }
        return nil
    }

    private static func number(_ key: String, _ members: [(String, JSON)]) -> UInt64 {
        for (name, value) in members where name == key {
            if case .integer(let number) = value { return UInt64(clamping: number) }
        }
        return 0
    }

    /// The way out is another process: what it says is added, and never overflows.
    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    // MARK: Answers

    /// What ``JSON`` has of them, for ``ControlRequest/figures``.
    ///
    /// - Parameter now: monotonic nanoseconds.
    mutating func members(now: Int64) -> [(String, JSON)] {
        let second = now / 1_000_000_000
        return [
            ("names", names.json), ("connections", connections.json), ("requests", requests.json),
            ("sent", .number(sent)), ("received", .number(received)),
            (
                "lastMinute",
                [
                    "connections": .number(connectionsNow.total(at: second)),
                    "requests": .number(requestsNow.total(at: second)),
                    "denials": .number(denialsNow.total(at: second)),
                ]
            ),
            ("egressEnds", .number(egressEnds)), ("egressRestarts", .number(egressRestarts)),
            ("executed", .number(executed)), ("refusedExecs", .number(refusedExecs)),
            ("limits", .object(limits.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })),
        ]
    }
}
