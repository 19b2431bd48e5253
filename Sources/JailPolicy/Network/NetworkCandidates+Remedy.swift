internal import JailCore

extension NetworkCandidates {
    /// What to put into a profile so that exactly this is allowed, and nothing that was not asked for; nil if no rule can.
    func remedy(for question: NetworkQuestion) -> String? {
        smallestRule(for: question).map { "network: { allow: [\($0)] }" }
    }

    /// An element of `network.allow`.
    func smallestRule(for question: NetworkQuestion) -> String? {
        let overrides = question.overriding
        guard overrides.allSatisfy(HTTPMethod.known.contains) else { return nil }
        if question.scheme == .tcp { return tcpRule() }
        let scheme = question.scheme ?? (question.port == 80 ? .http : .https)
        guard let port = question.port ?? scheme.standardPort, scheme.uses(port), !hasOtherHandling(port, scheme) else {
            return nil
        }
        // What is not known yet is the first that no deny takes away.
        let isFilled = question.hasBody || (question.bodySize ?? 0) > 0
        let known = question.isWebSocket ? ["GET"] : HTTPMethod.known.filter { !isFilled || HTTPMethod.hasBody($0) }
        let open = (question.method.map { [$0] } ?? known).first { !isDenied($0, question.path, port) }
        guard var methods = open.map({ [$0] }) else { return nil }
        for method in overrides where !methods.contains(method) {
            if isDenied(method, question.path, port) { return nil }
            methods.append(method)
        }
        if question.isWebSocket, !methods.contains("GET") { return nil }
        var members = ["hosts: \(JSON.strings([host.text]).text())"]
        if port != scheme.standardPort { members.append("ports: [\(port)]") }
        members.append("schemes: [\"\(scheme.rawValue)\"]")
        members.append("methods: \(JSON.strings(methods).text())")
        if let path = question.path {
            members.append("paths: \(JSON.strings([PathPattern(matching: path).text]).text())")
        }
        if let size = question.bodySize, size > NetworkRule.defaultRequestSize {
            guard size <= UInt64(Int64.max) else { return nil }
            members.append("requestSize: \"\(ByteSize.format(size))\"")
        }
        if question.isWebSocket { members.append("websocket: true") }
        return "{ \(members.joined(separator: ", ")) }"
    }

    private func tcpRule() -> String? {
        guard let port, !hasOtherHandling(port, .tcp), !denying.contains(where: { $0.covers(port: port) }) else {
            return nil
        }
        return "{ hosts: \(JSON.strings([host.text]).text()), ports: [\(port)], protocol: \"tcp\" }"
    }

    private func isDenied(_ method: String, _ path: CanonicalPath?, _ port: UInt16) -> Bool {
        let forms = path.map(PathForm.lenient)
        return denying.contains { $0.covers(port: port) && $0.covers(method: method) && $0.covers(path: forms) }
    }

    /// Whether a rule that names the same host in full does something else with the port: a second rule would contradict.
    private func hasOtherHandling(_ port: UInt16, _ scheme: NetworkScheme) -> Bool {
        matched.contains { rule, _ in
            guard rule.ports.contains(port), rule.hosts.contains(where: { $0.host == host }) else { return false }
            return scheme == .tcp || rule.handling == .tcp
                ? (rule.handling == .tcp) != (scheme == .tcp)
                : rule.handling == .passThrough && scheme == .https
        }
    }
}
