import JailCore
import SecretStore

/// What can be said of a secret without using it. What its service says of it (scopes, an end) belongs after these.
struct SecretTrial {
    let lines: [String]

    /// - Parameter now: seconds since the epoch.
    init(_ store: SecretStore, _ name: String, now: Int64) throws(JailError) {
        let secret = try store.open(name)
        let header = secret.header
        var lines = ["\(name): can be opened, with the key from \(try store.key().origin)"]
        let since = header.rotated ?? header.created
        let word = header.rotated == nil ? "set" : "rotated"
        lines.append("\(name): \(word) \(UTCTime.shown(since)), \(Self.age(now - since))")
        if let end = header.graceEnd, secret.previous(at: now) != nil {
            lines.append("\(name): the value before counts until \(UTCTime.shown(end))")
        }
        if !secret.current.bytes.isLocked {
            lines.append("\(name): memory is not locked here (ulimit -l), so that values may be swapped")
        }
        self.lines = lines
    }

    private static func age(_ seconds: Int64) -> String {
        switch seconds {
        case ..<0: "in the future: the clock was set back"
        case ..<86_400: "less than a day ago"
        default: "\(seconds / 86_400) days ago"
        }
    }
}
