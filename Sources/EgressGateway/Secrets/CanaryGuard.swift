internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// Looks for this jail's canaries in whatever goes out. Whoever sends one has no good reason to: it is not sent on, and
/// told; and who sends it is not told why.
final class CanaryGuard {
    private let detector: CanaryDetector

    init(_ known: [KnownCanary]) throws { detector = try CanaryDetector(known) }

    /// For one stream of bytes.
    func scan() -> CanaryDetector.Scan { detector.scan() }

    /// What a request says before its body.
    func look(through head: HTTPRequestHead, _ scan: inout CanaryDetector.Scan) -> [String] {
        var found = scan.feed("\(head.method.rawValue) \(head.uri)\n".utf8)
        for (name, value) in head.headers { found += scan.feed("\(name): \(value)\n".utf8) }
        var end = scan
        return found + end.finish()
    }

    func ids(in name: String) -> [String] { detector.ids(inName: name) }

    static func denial(_ ids: [String]) -> Denial {
        var denial = Denial(.forbidden, "a canary is in it")
        denial.told = "it is not allowed"
        denial.canaries = ids
        return denial
    }

    /// The event without what a canary says: in their places is what may be read without harm.
    func hiding(_ event: EgressEvent) -> EgressEvent {
        var event = event
        if let host = event.host, !detector.ids(inName: host).isEmpty { event.host = base(of: host) }
        for path in [\EgressEvent.path, \.reason, \.remedy, \.method] {
            guard let text = event[keyPath: path] else { continue }
            if !(detector.ids(in: text) + detector.ids(inName: text)).isEmpty { event[keyPath: path] = "(a canary)" }
        }
        return event
    }

    /// The end of a name, by which a person knows whose it is: where a canary stands in labels it is before that.
    func base(of name: String) -> String {
        let labels = name.split(separator: ".").suffix(2)
        let base = labels.joined(separator: ".")
        return labels.count < 2 || !detector.ids(inName: base).isEmpty ? "(a canary)" : base
    }
}

extension GatewayState {
    /// Tells of canaries that were seen on their way to somebody.
    func tell(_ ids: [String], in place: CanaryPlace, to destination: Destination, _ scheme: String?) {
        for id in ids {
            var event = event(.canary, .denied, destination, scheme)
            event.canary = id
            event.place = place.rawValue
            record(event)
        }
    }

    /// In a name that is asked for; whatever becomes of the question.
    func hasCanary(inName name: String) -> Bool {
        guard let canaries else { return false }
        let ids = canaries.ids(in: name)
        for id in ids {
            var event = EgressEvent(.canary, .denied, time: System.realtimeMilliseconds())
            event.scheme = "dns"
            event.host = canaries.base(of: name)
            event.canary = id
            event.place = CanaryPlace.name.rawValue
            record(event)
        }
        return !ids.isEmpty
    }
}
