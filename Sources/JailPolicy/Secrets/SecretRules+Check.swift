/// What is wrong with bindings beside the rest of a profile.
extension SecretRules {
    /// Throws if a binding reaches beyond what the network's rules allow, if two would fight for one place of one request, or
    /// if a variable or a secret would have two values.
    package func check(_ network: NetworkRules, _ process: ProcessRules) throws(SecretRuleError) {
        let policy = NetworkPolicy(network)
        for (index, binding) in bindings.enumerated() {
            if let reason = binding.excess(over: policy) ?? binding.clash(with: process)
                ?? exchangeFault(of: binding)
            {
                throw SecretRuleError(index: index, reason: reason)
            }
            for (earlier, other) in bindings[..<index].enumerated() {
                if let reason = binding.clash(with: other) {
                    throw SecretRuleError(index: index, reason: "\(reason) 'secrets[\(earlier)]'")
                }
            }
        }
    }
}

extension SecretBinding {
    /// A binding allows nothing: whatever it names must be allowed, and looked into, without it.
    fileprivate func excess(over policy: NetworkPolicy) -> String? {
        for host in hosts {
            for port in ports {
                let candidates = policy.candidates(host: .name(host), port: port, scheme: .https)
                let place = "https://\(host.text)" + (port == 443 ? "" : ":\(port)")
                let slots = candidates.slots.filter { $0.handling == .inspect }
                guard !slots.isEmpty else {
                    return "is bound to \(place), which no rule of network.allow lets be asked and inspected"
                }
                let rules = slots.flatMap(\.rules)
                for method in methods.map({ $0.map(Optional.some) }) ?? [nil] {
                    var question = NetworkQuestion(host: .name(host))
                    (question.port, question.scheme, question.method) = (port, .https, method)
                    guard case .allow = candidates.decide(question) else {
                        return "is bound to \(method ?? "requests") of \(place), which the network's rules do not allow"
                    }
                    if let path = paths?.first(where: { !Self.allow(method, $0, rules) }) {
                        return "is bound to \(path.text) of \(place), more than the network's rules allow"
                            + (method.map { " of \($0)" } ?? "")
                    }
                }
            }
        }
        return nil
    }

    private static func allow(_ method: String?, _ path: PathPattern, _ rules: [CompiledRule]) -> Bool {
        rules.contains { rule in
            (method.map(rule.methods.contains) ?? true) && (rule.paths?.contains { $0.covers(path) } ?? true)
        }
    }

    fileprivate func clash(with process: ProcessRules) -> String? {
        for variable in variables {
            if process.environment.contains(where: { $0.name == variable }) {
                return "sets \(variable), which process.environment sets as well"
            }
            if process.passEnvironment.contains(variable) {
                return "sets \(variable), which process.passEnvironment passes on"
            }
        }
        return nil
    }

    /// A sentence without its end, which names the other one.
    fileprivate func clash(with other: SecretBinding) -> String? {
        if name != other.name, let variable = variables.first(where: other.variables.contains) {
            return "sets \(variable), as another secret does in"
        }
        if name == other.name, place.isSignature != other.place.isSignature {
            return "signs with a secret that is sent, or sends one that signs, in"
        }
        if name == other.name, let source, let theirs = other.source, source != theirs {
            return "takes the same secret from another place than"
        }
        if name == other.name, let exchange, let theirs = other.exchange, exchange != theirs {
            return "exchanges the same secret in another way than"
        }
        guard place.slot == other.place.slot, hosts.contains(where: other.hosts.contains),
            ports.contains(where: other.ports.contains), Self.meet(methods, other.methods),
            Self.meet(paths, other.paths)
        else { return nil }
        return "goes into the same place of the same requests as"
    }

    private static func meet(_ one: [String]?, _ other: [String]?) -> Bool {
        guard let one, let other else { return true }
        return one.contains(where: other.contains)
    }

    private static func meet(_ one: [PathPattern]?, _ other: [PathPattern]?) -> Bool {
        guard let one, let other else { return true }
        return one.contains { pattern in other.contains { pattern.mayMeet($0) } }
    }
}

extension PathPattern {
    /// Whether some path may be one of both: false only where two segments are seen to differ.
    func mayMeet(_ other: PathPattern) -> Bool {
        for (one, two) in zip(segments, other.segments) {
            if one == .anySegments || two == .anySegments { return true }
            if let one = one.literal, let two = two.literal, one != two { return false }
        }
        let longer = segments.count > other.segments.count ? segments : other.segments
        return longer.dropFirst(min(segments.count, other.segments.count)).allSatisfy { $0 == .anySegments }
    }
}

extension PathSegment {
    fileprivate var literal: [PathCharacter]? {
        guard case .characters(let characters) = self, !characters.contains(.star) else { return nil }
        return characters
    }
}

/// A binding that cannot stand beside the others, or beside the rest of the profile.
package struct SecretRuleError: Error, Equatable, Sendable {
    package let index: Int
    /// Continues a sentence that begins with the binding's name.
    package let reason: String
}
