package import JailCore

/// `health` as it is written: the probes are keys of which one is there.
struct HealthParts: Sendable {
    var http: HTTPParts?
    var tcp: TCPParts?
    var exec: [String]?
    var rules = HealthRules(.tcp(port: 0))

    struct HTTPParts: Sendable {
        var port: UInt16?
        var path = "/"
    }

    struct TCPParts: Sendable { var port: UInt16? }

    init() {}

    init(_ rules: HealthRules) {
        self.rules = rules
        switch rules.probe {
        case .http(let port, let path): http = HTTPParts(port: port, path: path)
        case .tcp(let port): tcp = TCPParts(port: port)
        case .exec(let arguments): exec = arguments
        }
    }
}

extension HealthParts.HTTPParts {
    static let table = SectionTable<Self>([
        SectionKey(
            "port", read: { (field, parts) throws(JailError) in parts.port = try field.port() },
            write: { $0.port.map { .number($0) } }),
        SectionKey(
            "path",
            read: { (field, parts) throws(JailError) in parts.path = try field.name(HealthRules.Probe.checkPath) },
            write: { .string($0.path) }),
    ])
}

extension HealthParts.TCPParts {
    static let table = SectionTable<Self>([
        SectionKey(
            "port", read: { (field, parts) throws(JailError) in parts.port = try field.port() },
            write: { $0.port.map { .number($0) } })
    ])
}

extension HealthParts {
    /// The keys of `health`.
    static let table = SectionTable<HealthParts>([
        SectionKey<HealthParts>(
            "http",
            read: { (field, parts) throws(JailError) in
                var http = HTTPParts()
                try HTTPParts.table.read(field, into: &http)
                guard http.port != nil else { throw field.refusal("needs a 'port'") }
                parts.http = http
            },
            write: { $0.http.map(HTTPParts.table.json) }
        ).holding(HTTPParts.table),
        SectionKey<HealthParts>(
            "tcp",
            read: { (field, parts) throws(JailError) in
                var tcp = TCPParts()
                try TCPParts.table.read(field, into: &tcp)
                guard tcp.port != nil else { throw field.refusal("needs a 'port'") }
                parts.tcp = tcp
            },
            write: { $0.tcp.map(TCPParts.table.json) }
        ).holding(TCPParts.table),
        SectionKey(
            "exec",
            read: { (field, parts) throws(JailError) in parts.exec = try readCommand(field) },
            write: { $0.exec.map(JSON.strings) }),
        time("startPeriod", 0...longest, \.startPeriod),
        time("interval", shortest...longest, \.interval),
        time("timeout", shortest...300_000, \.timeout),
        SectionKey(
            "retries",
            read: { (field, parts) throws(JailError) in parts.rules.retries = try field.integer(1...100) },
            write: { .number($0.rules.retries) }),
    ])

    /// In milliseconds.
    private static let shortest: UInt64 = 100
    private static let longest: UInt64 = 3_600_000

    private static func time(
        _ name: String, _ range: ClosedRange<UInt64>, _ path: any WritableKeyPath<HealthRules, UInt64> & Sendable
    ) -> SectionKey<HealthParts> {
        SectionKey(
            name,
            read: { (field, parts) throws(JailError) in
                let time = try field.parsed(as: "a time such as \"30s\"", TimeSpan.parse)
                guard range.contains(time) else {
                    throw field.refusal(
                        "must be from \"\(TimeSpan.format(range.lowerBound))\" to "
                            + "\"\(TimeSpan.format(range.upperBound))\", not \"\(TimeSpan.format(time))\"")
                }
                parts.rules[keyPath: path] = time
            },
            write: { .string(TimeSpan.format($0.rules[keyPath: path])) })
    }

    private static func readCommand(_ field: Field) throws(JailError) -> [String] {
        let words = try field.filledList { (element) throws(JailError) in
            try element.name { (text) throws(ValueError) in
                guard !text.utf8.contains(0) else { throw ValueError("must be a text without NUL") }
            }
        }
        guard words[0] != "" else { throw field.refusal("must begin with a program") }
        return words
    }

    /// The rules, once there is exactly one probe.
    func made(_ field: Field) throws(JailError) -> HealthRules {
        var probes: [HealthRules.Probe] = []
        if let http, let port = http.port { probes.append(.http(port: port, path: http.path)) }
        if let tcp, let port = tcp.port { probes.append(.tcp(port: port)) }
        if let exec { probes.append(.exec(exec)) }
        guard probes.count == 1 else {
            throw field.refusal("must have one of 'http', 'tcp' and 'exec'")
        }
        var rules = rules
        rules.probe = probes[0]
        return rules
    }
}

extension HealthRules {
    /// What takes away what a parent asks for.
    private static let none = "none"

    /// nil: nobody asks.
    static func read(_ field: Field) throws(JailError) -> HealthRules? {
        if case .string(none) = field.value.content { return nil }
        guard case .object = field.value.content else { throw field.wrongKind("an object, or \"\(none)\"") }
        var parts = HealthParts()
        try HealthParts.table.read(field, into: &parts)
        return try parts.made(field)
    }

    package var json: JSON { HealthParts.table.json(HealthParts(self)) }

    /// For people, a line each.
    package var shown: [String] {
        [
            probe.shown, "every \(TimeSpan.format(interval)), within \(TimeSpan.format(timeout))",
            "unhealthy after \(retries) failures, and not before \(TimeSpan.format(startPeriod)) of starting",
        ]
    }
}
