package import JailCore
internal import JailPolicy

/// What a jail's supervisor has counted, as it answers.
package struct JailFigures: Equatable, Sendable {
    package struct Tally: Equatable, Sendable {
        package var allowed: UInt64 = 0
        package var denied: UInt64 = 0
        package var failed: UInt64 = 0

        package init(allowed: UInt64 = 0, denied: UInt64 = 0, failed: UInt64 = 0) {
            self.allowed = allowed
            self.denied = denied
            self.failed = failed
        }
    }

    /// What of the network is counted.
    package enum Telling: String, Sendable {
        /// There is no way out.
        case nothing
        /// What was allowed is told to nobody, and not counted.
        case denials
        case everything
    }

    /// Milliseconds since its start.
    package var upMilliseconds: UInt64 = 0
    package var health: String?
    package var isPaused = false
    /// Commands that are executed in it now.
    package var execs: UInt64 = 0
    package var tells = Telling.nothing
    package var names = Tally()
    package var connections = Tally()
    package var requests = Tally()
    package var sent: UInt64 = 0
    package var received: UInt64 = 0
    /// Of the last sixty seconds.
    package var connectionsLately: UInt64 = 0
    package var requestsLately: UInt64 = 0
    package var denialsLately: UInt64 = 0
    package var egressEnds: UInt64 = 0
    package var egressRestarts: UInt64 = 0
    package var executed: UInt64 = 0
    package var refusedExecs: UInt64 = 0
    /// By the profile's key that raises the limit.
    package var limits: [String: UInt64] = [:]

    package init() {}

    /// nil: it is no answer of a supervisor's. Figures that are missing are 0.
    package init?(answer text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), case .object = value.content,
            let tells = value["tells"]?.text.flatMap(Telling.init(rawValue:))
        else { return nil }
        self.tells = tells
        health = value["health"]?.text?.printable
        isPaused = value["paused"]?.isTrue ?? false
        for (key, path) in Self.numbers { self[keyPath: path] = value[key]?.count ?? 0 }
        for (key, path) in Self.tallies {
            self[keyPath: path] = Tally(
                allowed: value[key]?["allowed"]?.count ?? 0, denied: value[key]?["denied"]?.count ?? 0,
                failed: value[key]?["failed"]?.count ?? 0)
        }
        let lately = value["lastMinute"]
        connectionsLately = lately?["connections"]?.count ?? 0
        requestsLately = lately?["requests"]?.count ?? 0
        denialsLately = lately?["denials"]?.count ?? 0
        if case .object(let members)? = value["limits"]?.content {
            for member in members { limits[member.key.printable] = member.value.count ?? 0 }
        }
    }

    private typealias Path<Value> = WritableKeyPath<JailFigures, Value> & Sendable

    private static let numbers: [(String, any Path<UInt64>)] = [
        ("upMilliseconds", \.upMilliseconds), ("execs", \.execs), ("sent", \.sent), ("received", \.received),
        ("egressEnds", \.egressEnds), ("egressRestarts", \.egressRestarts), ("executed", \.executed),
        ("refusedExecs", \.refusedExecs),
    ]
    private static let tallies: [(String, any Path<Tally>)] = [
        ("names", \.names), ("connections", \.connections), ("requests", \.requests),
    ]

    /// Connections and requests of the last minute; nil: they are not counted.
    package var askedLately: UInt64? { tells == .everything ? connectionsLately + requestsLately : nil }

    /// For `stats --json` and `inspect --json`; null is what is not counted.
    package var json: JSON {
        func tally(_ tally: Tally) -> JSON {
            [
                "allowed": counted(tally.allowed), "denied": .number(tally.denied), "failed": .number(tally.failed),
            ]
        }
        let isNothing = tells == .nothing
        let network: JSON = [
            "connectionsLastMinute": counted(connectionsLately), "requestsLastMinute": counted(requestsLately),
            "denialsLastMinute": .number(denialsLately), "names": ["denied": .number(names.denied)],
            "connections": tally(connections), "requests": tally(requests), "sentBytes": counted(sent),
            "receivedBytes": counted(received), "ends": .number(egressEnds), "restarts": .number(egressRestarts),
        ]
        return [
            "network": isNothing ? .null : network,
            "execs": ["running": .number(execs), "started": .number(executed), "refused": .number(refusedExecs)],
            "limitsReached": .object(limits.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }),
            "upMilliseconds": .number(upMilliseconds),
        ]
    }

    private func counted(_ number: UInt64) -> JSON { tells == .everything ? .number(number) : .null }
}

extension JSON5Value {
    var isTrue: Bool { if case .boolean(true) = content { true } else { false } }
    /// Never below 0.
    var count: UInt64? { integer.map { UInt64(clamping: $0) } }
}
