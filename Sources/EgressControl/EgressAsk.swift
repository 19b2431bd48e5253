internal import JailCore
package import JailPolicy

/// A request that no rule allows, on its way to somebody who may say yes.
package struct EgressAsk: Hashable, Sendable {
    /// Of the gateway's own, each once.
    package var id: UInt32
    package var request: AskedRequest

    package init(id: UInt32, request: AskedRequest) {
        self.id = id
        self.request = request
    }

    package var text: String {
        let json: JSON = [
            "id": .number(id), "scheme": .string(request.scheme.rawValue), "host": .string(request.host.urlText),
            "port": .number(request.port), "method": .string(request.method), "path": .string(request.path.path),
        ]
        return json.text()
    }

    /// From a process that may have been taken over: nothing but what such a request can be, in its one form. nil: it is
    /// anything else.
    package init?(text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), case .object(let members) = value.content,
            members.map(\.key) == ["id", "scheme", "host", "port", "method", "path"],
            let id = value["id"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let scheme = value["scheme"]?.text.flatMap(NetworkScheme.init(rawValue:)), scheme != .tcp,
            let name = value["host"]?.text, let host = Host(wire: name.utf8), host.urlText == name,
            let port = value["port"]?.integer.flatMap({ UInt16(exactly: $0) }),
            let method = value["method"]?.text, HTTPMethod.known.contains(method),
            let target = value["path"]?.text, let path = CanonicalPath(target: target), path.target == target,
            let request = AskedRequest(scheme: scheme, host: host, port: port, method: method, path: path),
            request.path == path
        else { return nil }
        self.init(id: id, request: request)
    }
}

/// What became of one.
package struct EgressVerdict: Hashable, Sendable {
    package var id: UInt32
    /// By which grant; nil: it is denied.
    package var grant: UInt64?
    /// Of one that is denied: continues `an approval was asked for, and not given: `.
    package var reason: String

    package init(id: UInt32, grant: UInt64?, reason: String = "") {
        self.id = id
        self.grant = grant
        self.reason = reason
    }

    package var text: String {
        let json: JSON = [
            "id": .number(id), "grant": grant.map { .number($0) } ?? .null, "reason": .string(reason),
        ]
        return json.text()
    }

    init?(_ value: JSON5Value?) {
        guard let value, let id = value["id"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let reason = value["reason"]?.text
        else { return nil }
        let grant = value["grant"]?.integer.flatMap { UInt64(exactly: $0) }
        guard grant != nil || value["grant"]?.kind == "null" else { return nil }
        self.init(id: id, grant: grant, reason: reason)
    }
}
