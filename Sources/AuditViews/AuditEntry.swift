package import AuditLog
package import JailCore
package import JailPolicy

/// One record of a log, for people and other programs.
package struct AuditEntry: Sendable {
    /// `NAME`, or `GATEWAY/ID`.
    package let jail: String
    package let sequence: UInt64
    /// Milliseconds since the epoch.
    package let time: Int64
    package let event: String
    /// All members, in their order.
    package let members: [JSON5Member]

    /// nil: it is no record.
    package init?(jail: String, _ line: AuditLine) {
        guard let value = line.value, case .object(let members) = value.content,
            let time = value["time"]?.text.flatMap({ AuditTime.milliseconds($0) })
        else { return nil }
        self.jail = jail
        sequence = line.sequence
        event = line.event
        self.time = time
        self.members = members
    }

    package func text(_ key: String) -> String? { members.first { $0.key == key }?.value.text }
    package func number(_ key: String) -> Int64? { members.first { $0.key == key }?.value.integer }

    package var verdict: String? { text("verdict") }
    package var host: String? { text("host") }

    /// Members that are the event's own.
    package var details: [JSON5Member] {
        members.filter { !["seq", "time", "mono", "event", "prev", "key", "next", "signature"].contains($0.key) }
    }

    package var json: JSON {
        .object([("jail", .string(jail))] + members.map { ($0.key, $0.value.json) })
    }
}
