package import JailCore
internal import JailPolicy

/// Records in the form that other programs take in: lines to be piped to them.
package enum AuditExport: String, CaseIterable, Sendable {
    /// As they are, with the jail's name.
    case jsonl
    /// Of Loki's push API (`/loki/api/v1/push`): one request body on each line.
    case loki
    /// Of Elasticsearch's and OpenSearch's bulk API (`/_bulk`): an action and a document, named as ECS has it.
    case elasticsearch
    /// Open Cybersecurity Schema Framework 1.3: one event on each line.
    case ocsf

    package func lines(_ entry: AuditEntry) -> [JSON] {
        switch self {
        case .jsonl: [entry.json]
        case .loki: [Self.loki(entry)]
        case .elasticsearch: Self.elasticsearch(entry)
        case .ocsf: [Self.ocsf(entry)]
        }
    }

    private static func loki(_ entry: AuditEntry) -> JSON {
        // Labels are few and have few values: what differs from record to record is in the line.
        var labels: [(String, JSON)] = [
            ("job", "clawjail"), ("jail", .string(entry.jail)), ("event", .string(entry.event)),
        ]
        if let verdict = entry.verdict { labels.append(("verdict", .string(verdict))) }
        let value: JSON = [.string("\(entry.time)000000"), .string(entry.json.text())]
        return ["streams": [["stream": .object(labels), "values": [value]]]]
    }

    private static func elasticsearch(_ entry: AuditEntry) -> [JSON] {
        var document: [(String, JSON)] = [
            ("@timestamp", .string(entry.text("time") ?? "")),
            (
                "event",
                [
                    "module": "clawjail", "action": .string(entry.event), "sequence": .number(entry.sequence),
                    "outcome": .string(outcome(entry)),
                ]
            ),
            ("service", ["name": "clawjail", "node": ["name": .string(entry.jail)]]),
            ("message", .string(entry.shown)), ("clawjail", entry.json),
        ]
        if let host = entry.host {
            document.append(
                ("destination", ["domain": .string(host), "port": entry.number("port").map { .number($0) } ?? .null]))
        }
        return [["create": ["_index": "clawjail-audit"]], .object(document)]
    }

    private static func outcome(_ entry: AuditEntry) -> String {
        switch entry.verdict {
        case "allowed": "success"
        case nil: "unknown"
        default: "failure"
        }
    }

    // MARK: OCSF

    private static func ocsf(_ entry: AuditEntry) -> JSON {
        let kind = classification(entry)
        var event: [(String, JSON)] = [
            ("class_uid", .number(kind.classID)), ("category_uid", .number(kind.classID / 1000)),
            ("activity_id", .number(kind.activity)), ("type_uid", .number(kind.classID * 100 + kind.activity)),
            ("time", .number(entry.time)), ("severity_id", .number(kind.severity)), ("message", .string(entry.shown)),
            (
                "metadata",
                [
                    "version": "1.3.0", "uid": .string("\(entry.jail):\(entry.sequence)"),
                    "sequence": .number(entry.sequence), "log_name": "audit",
                    "product": ["name": "clawjail", "vendor_name": "clawjail", "version": .string(Release.version)],
                ]
            ),
            ("unmapped", entry.json),
        ]
        if let host = entry.host {
            event.append(
                (
                    "dst_endpoint",
                    ["hostname": .string(host), "port": entry.number("port").map { .number($0) } ?? .null]
                ))
        }
        if let verdict = entry.verdict {
            // 1 allowed, 2 denied; and as status 1 success, 2 failure.
            event.append(("action_id", .number(verdict == "denied" ? 2 : 1)))
            event.append(("status_id", .number(["allowed", "ended"].contains(verdict) ? 1 : 2)))
        }
        return .object(event)
    }

    private static func classification(_ entry: AuditEntry) -> (classID: Int, activity: Int, severity: Int) {
        switch entry.event {
        // HTTP Activity, 99: other; Network Activity, 1: open, 5: refuse; DNS Activity, 1: query.
        case "network" where entry.text("subject") == "request": (4002, 99, severity(entry))
        case "network" where entry.text("subject") == "name": (4003, 1, severity(entry))
        case "network": (4001, entry.verdict == "denied" ? 5 : 1, severity(entry))
        // Process Activity, 1: launch, 2: terminate.
        case "launch", "executed": (1007, 1, 1)
        case "command": (1007, entry.verdict == "ended" ? 2 : 1, severity(entry))
        case "exited", "exec-exited": (1007, 2, 1)
        // Detection Finding, 1: create.
        case "alert", "lockdown", "limit", "secret-returned", "secret-misuse", "canary": (2004, 1, 3)
        // Application Lifecycle, 99: other.
        default: (6002, 99, 1)
        }
    }

    private static func severity(_ entry: AuditEntry) -> Int { entry.verdict == "denied" ? 2 : 1 }
}
