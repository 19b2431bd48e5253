internal import JailCore

/// The last events of a jail, for whoever looks at it: so many, and no more. What was allowed has room of its own, so that a
/// busy jail does not push its denials out.
struct RecentEvents {
    private struct Ring {
        let most: Int
        private(set) var entries: [Entry] = []
        private var next = 0

        init(most: Int) { self.most = most }

        mutating func add(_ entry: Entry) {
            if entries.count < most { return entries.append(entry) }
            entries[next] = entry
            next = (next + 1) % most
        }
    }

    private struct Entry {
        /// Counts up, across both rings.
        var number: UInt64
        /// Milliseconds since the epoch.
        var time: Int64
        var event: JSON
    }

    private var notable = Ring(most: 48)
    private var allowed = Ring(most: 16)
    private var count: UInt64 = 0

    mutating func add(_ event: JSON, isAllowed: Bool, time: Int64) {
        count += 1
        let entry = Entry(number: count, time: time, event: event)
        if isAllowed { allowed.add(entry) } else { notable.add(entry) }
    }

    /// In order, as JSON of at most so many bytes: where that is too little the oldest are left out.
    func text(most: Int) -> String {
        var texts: [String] = []
        let frame = #"{"events":[]}"#
        var left = most - frame.utf8.count
        for entry in (notable.entries + allowed.entries).sorted(by: { $0.number > $1.number }) {
            let object: JSON = ["time": .number(entry.time), "event": entry.event]
            let text = object.text()
            left -= text.utf8.count + 1
            if left < 0 { break }
            texts.append(text)
        }
        return #"{"events":["# + texts.reversed().joined(separator: ",") + "]}"
    }
}
