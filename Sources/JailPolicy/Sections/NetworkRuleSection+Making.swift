package import JailCore

extension NetworkRule {
    /// An element of `network.allow`, with what it leaves out filled in.
    static func read(_ field: Field) throws(JailError) -> NetworkRule {
        var parts = NetworkRuleParts()
        try NetworkRuleParts.table.read(field, into: &parts)
        return try field.checked { () throws(ValueError) in try parts.rule() }
    }

    /// What ``read(_:)`` takes, with all that is not said by the rest written out.
    package var json: JSON {
        var parts = NetworkRuleParts()
        parts.preset = preset
        parts.requestSize = requestSize
        guard preset == nil else { return NetworkRuleParts.table.json(parts) }
        parts.hosts = hosts
        parts.ports = ports
        switch handling {
        case .tcp: parts.proto = .tcp
        case .passThrough: parts.inspect = false
        case .inspect:
            parts.schemes = schemes
            parts.methods = methods
            parts.paths = paths
            parts.websocket = websocket ? true : nil
        }
        return NetworkRuleParts.table.json(parts)
    }

    /// For people: `GET, HEAD of * on ports 443, 80`.
    package var shown: String {
        let size = requestSize.map { ", requests up to \(ByteSize.format($0))" } ?? ""
        if let preset { return "preset \(preset.rawValue)\(size)" }
        let names = hosts.map(\.text).joined(separator: ", ")
        let numbers = "ports \(ports.map { String($0) }.joined(separator: ", "))"
        switch handling {
        case .tcp: return "tcp to \(names) on \(numbers)"
        case .passThrough: return "TLS of \(names) on \(numbers), not inspected"
        case .inspect:
            let only = schemes.count == 1 && ports != [80] && ports != [443] ? " by \(schemes[0].rawValue)" : ""
            let where_ = paths.map { " at \($0.map(\.text).joined(separator: ", "))" } ?? ""
            return "\(methods.joined(separator: ", ")) of \(names) on \(numbers)\(only)\(where_)"
                + (websocket ? ", with WebSockets" : "") + size
        }
    }
}

extension NetworkDenyRule {
    package var json: JSON { Self.table.json(self) }
}

extension NetworkRuleParts {
    fileprivate func rule() throws(ValueError) -> NetworkRule {
        guard preset == nil || hosts == nil else { throw ValueError("must have 'hosts' or 'preset', not both") }
        if let preset { return try rule(of: preset) }
        guard let hosts else { throw ValueError("needs 'hosts'") }
        if proto == .tcp { return try tcpRule(hosts) }
        if inspect == false { return try passThroughRule(hosts) }
        return try httpRule(hosts)
    }

    private func rule(of preset: NetworkPreset) throws(ValueError) -> NetworkRule {
        try refuse(
            [.ports, .schemes, .methods, .paths, .websocket, .inspect, .proto], "a preset has hosts and all the rest")
        var rule = NetworkRule(preset: preset)
        rule.requestSize = requestSize
        return rule
    }

    private func tcpRule(_ hosts: [HostPattern]) throws(ValueError) -> NetworkRule {
        try refuse(
            [.schemes, .methods, .paths, .requestSize, .websocket, .inspect],
            "nothing of it can be seen with protocol \"tcp\"")
        if let pattern = hosts.first(where: { $0.host == nil }) {
            throw ValueError("must name every host in full with protocol \"tcp\", not \"\(pattern.text)\"")
        }
        guard let ports else { throw ValueError("needs 'ports' with protocol \"tcp\"") }
        var rule = NetworkRule(hosts: hosts, methods: [], ports: ports)
        rule.schemes = []
        rule.handling = .tcp
        return rule
    }

    private func passThroughRule(_ hosts: [HostPattern]) throws(ValueError) -> NetworkRule {
        try refuse([.methods, .paths, .requestSize, .websocket], "nothing of it can be seen without inspection")
        guard schemes.map({ $0 == [.https] }) ?? true else {
            throw ValueError("must not name http with inspect: false, which is for TLS alone")
        }
        let ports = ports ?? [443]
        try checkPorts(ports, [.https])
        var rule = NetworkRule(hosts: hosts, methods: [], ports: ports)
        rule.schemes = [.https]
        rule.handling = .passThrough
        return rule
    }

    private func httpRule(_ hosts: [HostPattern]) throws(ValueError) -> NetworkRule {
        let methods = methods ?? NetworkRule.defaultMethods
        let ports = ports ?? (schemes ?? [.https, .http]).compactMap(\.standardPort)
        let schemes = schemes ?? [.https, .http].filter { scheme in ports.contains(where: scheme.uses) }
        try checkPorts(ports, schemes)
        if requestSize != nil, !methods.contains(where: HTTPMethod.hasBody) {
            throw ValueError("must not have 'requestSize': none of its methods has a body")
        }
        if websocket == true, !methods.contains("GET") {
            throw ValueError("needs the method GET with websocket: true, since a WebSocket begins with one")
        }
        var rule = NetworkRule(hosts: hosts, methods: methods, ports: ports)
        rule.schemes = schemes
        rule.paths = paths
        rule.requestSize = requestSize
        rule.websocket = websocket ?? false
        return rule
    }

    /// A port that no scheme uses, and a scheme without a port, would never match.
    private func checkPorts(_ ports: [UInt16], _ schemes: [NetworkScheme]) throws(ValueError) {
        for port in ports where !schemes.contains(where: { $0.uses(port) }) {
            throw ValueError("can never match on port \(port), which \(schemes.map(\.rawValue).joined()) never uses")
        }
        for scheme in schemes where !ports.contains(where: scheme.uses) {
            throw ValueError("can never match with \(scheme.rawValue), which has none of its ports")
        }
    }

    private enum Key: String {
        case ports, schemes, methods, paths, requestSize, websocket, inspect
        case proto = "protocol"
    }

    private func refuse(_ keys: [Key], _ reason: String) throws(ValueError) {
        for key in keys where has(key) { throw ValueError("must not have '\(key.rawValue)': \(reason)") }
    }

    private func has(_ key: Key) -> Bool {
        switch key {
        case .ports: ports != nil
        case .schemes: schemes != nil
        case .methods: methods != nil
        case .paths: paths != nil
        case .requestSize: requestSize != nil
        case .websocket: websocket != nil
        case .inspect: inspect != nil
        case .proto: proto != nil
        }
    }
}

extension NetworkScheme {
    package var standardPort: UInt16? {
        switch self {
        case .https: 443
        case .http: 80
        case .tcp: nil
        }
    }

    /// One scheme never uses the standard port of the other: TLS on port 80, or cleartext on 443, is a mistake or a trick.
    package func uses(_ port: UInt16) -> Bool {
        switch self {
        case .https: port != 80
        case .http: port != 443
        case .tcp: true
        }
    }
}
