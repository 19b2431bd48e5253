/// Why not, and what would help.
extension NetworkCandidates {
    /// What no rule can allow.
    func impossibility(of question: NetworkQuestion) -> NetworkDenial? {
        if case .address(let address) = host, let port, let denial = policy.pageRefusal(of: address, port: port) {
            return denial
        }
        let hasBody = question.hasBody || (question.bodySize ?? 0) > 0
        if let method = question.method {
            guard HTTPMethod.known.contains(method) else {
                return NetworkDenial(reason: "the method \(method.excerpt) is never allowed")
            }
            if hasBody, !HTTPMethod.hasBody(method) {
                return NetworkDenial(reason: "a \(method) request must not have a body")
            }
            if question.isWebSocket, method != "GET" {
                return NetworkDenial(reason: "a WebSocket begins with GET, not \(method)")
            }
        }
        if hasBody, question.isWebSocket {
            return NetworkDenial(reason: "a request for a WebSocket must not have a body")
        }
        if let port, let scheme, !scheme.uses(port) {
            return NetworkDenial(reason: "\(scheme.rawValue) is never spoken on port \(port)")
        }
        return nil
    }

    /// A deny rule that names all that is known of the question, and leaves nothing open that is not.
    func explicitDenial(of question: NetworkQuestion) -> NetworkDenial? {
        let forms = question.path.map(PathForm.lenient)
        let isOpaque = !slots.isEmpty && slots.allSatisfy { $0.handling != .inspect }
        let denying = denying.first { deny in
            guard port.map(deny.covers(port:)) ?? (deny.rule.ports == nil) else { return false }
            return isOpaque || (deny.covers(method: question.method) && deny.covers(path: forms))
        }
        guard let denying else { return nil }
        let unseen = isOpaque && denying.isPartial ? ", and what is not inspected cannot be told from it" : ""
        return NetworkDenial(
            reason: "\(denying.label) denies \(denying.rule.shown)\(unseen)", rule: denying.label)
    }

    /// Of an address that was asked for as such, with what the rules say of it otherwise.
    func specialDenial(
        _ address: IPAddress, _ kind: String, _ question: NetworkQuestion, _ verdict: NetworkVerdict
    ) -> NetworkDenial {
        let range = "allowPrivate: [\"\(AddressRange(address))\"]"
        var denial = NetworkDenial(reason: "\(address) is \(kind) and not in network.allowPrivate")
        switch verdict {
        case .allow: denial.remedy = "network: { \(range) }"
        // What no rule can allow, no range can either.
        case .deny(let other) where other.remedy == nil: denial.rule = other.rule
        case .deny: denial.remedy = smallestRule(for: question).map { "network: { \(range), allow: [\($0)] }" }
        }
        return denial
    }

    // MARK: Reasons

    /// At which step the last rule fell away.
    func reason(against question: NetworkQuestion) -> String {
        guard !policy.allow.isEmpty else { return "no rule allows anything: network.allow is empty" }
        var left = matched.map(\.rule)
        let name = host.text
        guard !left.isEmpty else { return "no rule of network.allow names \(name)" }
        if let port {
            let named = left.filter { $0.ports.contains(port) }
            guard !named.isEmpty else {
                return "port \(port) is not among the ports of \(Self.list(left) { Self.numbers($0.ports) })"
            }
            left = named
        }
        guard !slots.isEmpty else {
            let kinds = left.map { $0.handling == .tcp ? "tcp" : $0.schemes.map(\.rawValue).joined(separator: ", ") }
            return
                "\(scheme?.rawValue ?? "nothing") is not what \(Self.list(Array(zip(left, kinds)))) allows for \(name)"
        }
        left = slots.flatMap(\.rules)
        return requestReason(against: question, left)
    }

    private func requestReason(against question: NetworkQuestion, _ rules: [CompiledRule]) -> String {
        var left = rules
        if let method = question.method {
            let named = left.filter { $0.methods.contains(method) }
            guard !named.isEmpty else {
                return "\(method) is not among the methods of \(Self.list(left) { $0.methods.joined(separator: ", ") })"
            }
            left = named
        }
        if question.isWebSocket {
            let open = left.filter(\.websocket)
            guard !open.isEmpty else { return "\(Self.list(left)) allows no WebSockets" }
            left = open
        }
        if let path = question.path {
            let named = left.filter { $0.paths?.contains { $0.matches(path) } ?? true }
            guard !named.isEmpty else {
                // Not quoted: reasons end up in logs, and some services take their tokens in the path.
                let paths = Self.list(left) { $0.paths?.map(\.text).joined(separator: ", ") ?? "" }
                return "this path is not among the paths of \(paths)"
            }
            left = named
        }
        if let size = question.bodySize, !left.contains(where: { $0.requestSize >= size }) {
            let most = Self.list(left) { ByteSize.format($0.requestSize) }
            return "a body of \(size) bytes is more than the requestSize of \(most)"
        }
        return
            "\(denying.map(\.label).joined(separator: ", ")) denies all that \(Self.list(left)) allows for \(host.text)"
    }

    private static func numbers(_ ports: [UInt16]) -> String { ports.map { String($0) }.joined(separator: ", ") }

    /// Not more than three rules, each with what it says.
    private static func list(_ rules: [CompiledRule], _ detail: (CompiledRule) -> String? = { _ in nil }) -> String {
        list(rules.map { ($0, detail($0)) })
    }

    private static func list(_ rules: [(CompiledRule, String?)]) -> String {
        // A rule comes once for each port and scheme that it serves.
        var texts: [String] = []
        for (rule, detail) in rules {
            let text = rule.label + (detail.map { " (\($0.excerpt))" } ?? "")
            if !texts.contains(text) { texts.append(text) }
        }
        return texts.prefix(3).joined(separator: ", ") + (texts.count > 3 ? " and \(texts.count - 3) more" : "")
    }
}
