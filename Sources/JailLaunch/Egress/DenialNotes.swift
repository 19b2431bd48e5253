internal import EgressControl
internal import JailCore

/// What people read of denials: the first of its kind at once, then how often it happened again. However much is asked
/// for inside, it is few lines.
struct DenialNotes {
    /// Nanoseconds between two lines about the same thing.
    static let interval: Int64 = 5_000_000_000
    /// Different things that are remembered, and lines in one interval; more are only counted.
    static let most = 20

    private var counts: [String: Int] = [:]
    private var order: [String] = []
    private var uncounted = 0
    private var nextDue: Int64?

    /// Monotonic nanoseconds at which ``due(_:)`` has something to say.
    var due: Int64? { nextDue }

    /// The line for something that happens for the first time in this interval.
    mutating func add(_ event: EgressEvent, now: Int64) -> String? { add(Self.line(event), now: now) }

    mutating func add(_ line: String, now: Int64) -> String? {
        if nextDue == nil { nextDue = now + Self.interval }
        if let count = counts[line] {
            counts[line] = count + 1
            return nil
        }
        guard order.count < Self.most else {
            uncounted += 1
            return nil
        }
        counts[line] = 0
        order.append(line)
        return line
    }

    /// What has gathered since, once the interval is over.
    mutating func due(_ now: Int64) -> [String] {
        guard let nextDue, now >= nextDue else { return [] }
        var lines = order.compactMap { line in
            let count = counts[line] ?? 0
            return count > 0 ? "\(count) more: \(line)" : nil
        }
        if uncounted > 0 { lines.append("\(uncounted) more denials of other kinds; --status-fd tells all of them") }
        let isQuiet = lines.isEmpty
        // What goes on is counted on, what has stopped is forgotten.
        order = order.filter { counts[$0] ?? 0 > 0 }
        counts = Dictionary(uniqueKeysWithValues: order.map { ($0, 0) })
        uncounted = 0
        self.nextDue = isQuiet ? nil : now + Self.interval
        return lines
    }

    private static func line(_ event: EgressEvent) -> String {
        guard event.subject != .gateway else { return "way out: \(event.reason ?? event.verdict.rawValue)" }
        var text = event.verdict == .failed ? "failed" : "denied"
        if let method = event.method { text += " \(method)" }
        if let host = event.host {
            text += " " + (event.scheme.map { "\($0)://" } ?? "") + (host.utf8.contains(0x3A) ? "[\(host)]" : host)
            if let port = event.port, !(event.scheme == "https" && port == 443 || event.scheme == "http" && port == 80)
            {
                text += ":\(port)"
            }
            text += event.path ?? ""
        } else if let port = event.port {
            text += " port \(port)"
        }
        text += ": \(event.reason ?? "no reason given")"
        if let remedy = event.remedy { text += "; to allow it: \(remedy)" }
        return text
    }
}
