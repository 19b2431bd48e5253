internal import JailCore
internal import JailPlan
internal import JailPolicy
internal import SecretStore

/// The secrets of one jail, as its supervisor holds them: values in memory of their own, for the jail's gateways.
final class JailSecrets {
    /// One value for a gateway.
    struct Grant {
        let name: String
        let placeholder: SecretPlaceholder
        /// nil: it was removed.
        let value: KeptSecret?
        /// Milliseconds for which the value before it is looked for in answers.
        let grace: UInt64
    }

    fileprivate struct Held {
        let name: String
        /// Of this jail and this start.
        let placeholder: SecretPlaceholder
        /// nil: it was removed.
        var current: KeptSecret?
        var previous: (value: KeptSecret, end: Int64)?
        /// What was read, where its provider has given another one for it: to be read again changes nothing.
        var spent: KeptSecret?
    }

    let rules: SecretRules
    /// The directory of the store.
    let store: String
    private var held: [Held] = []
    /// The files of the store's as they were before they were read.
    private var files: [String: FileIdentity] = [:]

    /// Asks for all of them. A jail of which one is missing does not start.
    ///
    /// - Parameter signals: readable once the launch is to be given up.
    init(_ plan: LaunchPlan, _ rules: SecretRules, signals: Descriptor) throws(JailError) {
        self.rules = rules
        store = "\(plan.stateDirectory)/\(SecretStore.directoryName)"
        files = identities()
        var values = try Self.takeEnvironment(rules)
        let others = rules.names.filter { values[$0] == nil }
        if !others.isEmpty {
            let fetch = try attempt(.secrets) { () throws(SystemError) in
                try SecretFetch(others, rules, store: store)
            }
            values.merge(try Self.await(fetch, signals)) { $1 }
        }
        for name in rules.names { held.append(try Self.hold(name, values[name], rules)) }
    }

    /// Whose secrets a plan names; nil: it names none.
    static func resolve(_ plan: LaunchPlan, signals: Descriptor) throws(JailError) -> JailSecrets? {
        guard let rules = plan.network.egress?.secrets, !rules.isEmpty else { return nil }
        return try JailSecrets(plan, rules, signals: signals)
    }

    /// Here, since it is this process's environment that is not to hold them any more.
    private static func takeEnvironment(_ rules: SecretRules) throws(JailError) -> [String: SecretFetch.Result] {
        let names = rules.names.filter { if case .environment = rules.source(of: $0) { true } else { false } }
        let resolver = SecretResolver(rules, store: "", credentials: nil)
        var values: [String: SecretFetch.Result] = [:]
        for (name, result) in resolver.resolve(names, now: System.realtimeSeconds()) {
            values[name] = .value(try result.get().current, previous: nil)
        }
        return values
    }

    private static func await(
        _ fetch: SecretFetch, _ signals: Descriptor
    ) throws(JailError) -> [String: SecretFetch.Result] {
        while true {
            var entries = [fetch.pollEntry, System.PollEntry(signals, System.PollEvents.readable)]
            try attempt(.secrets) { () throws(SystemError) in try System.poll(&entries, milliseconds: -1) }
            if entries[1].returned != 0 {
                fetch.kill()
                throw JailError(.supervise, reason: "stopped by a signal during the launch")
            }
            let ready = System.PollResult(entries)
            do throws(SystemError) { if let results = try fetch.take(ready) { return results } } catch {
                throw JailError(.secrets, reason: "the process that asks for secrets ended without an answer")
            }
        }
    }

    private static func hold(
        _ name: String, _ result: SecretFetch.Result?, _ rules: SecretRules
    ) throws(JailError) -> Held {
        switch result {
        case .value(let value, let previous):
            var generator = SystemRandomNumberGenerator()
            do throws(ValueError) {
                let placeholder = try value.bytes.withSpan { (span) throws(ValueError) in
                    try rules.makePlaceholder(of: name, like: span, using: &generator)
                }
                return Held(name: name, placeholder: placeholder, current: value, previous: previous)
            } catch { throw JailError(.secrets, reason: "the value of '\(name)' \(error.reason)") }
        case .fault(let text, _): throw JailError(.secrets, said: text, status: ExitStatus.configuration)
        case nil: throw JailError(.secrets, reason: "'\(name)' has no value")
        }
    }

    private func identities() -> [String: FileIdentity] {
        var files: [String: FileIdentity] = [:]
        for name in rules.names where rules.source(of: name) == .store {
            files[name] = SecretStore.identity(of: name, in: store)
        }
        return files
    }

    /// Once callers can find the jail: what was changed before they could is read again. Nobody has the values yet.
    func catchUp(signals: Descriptor) throws(JailError) {
        let now = identities()
        let changed = rules.names.filter { now[$0] != files[$0] }
        guard !changed.isEmpty else { return }
        let fetch = try attempt(.secrets) { () throws(SystemError) in
            try SecretFetch(changed, rules, store: store)
        }
        for (name, result) in try Self.await(fetch, signals) {
            if case .fault(let text, _) = result {
                throw JailError(.secrets, said: text, status: ExitStatus.configuration)
            }
            _ = renew(name, result)
        }
    }

    /// One value of the store, for something else than requests.
    static func value(of name: String, _ plan: LaunchPlan, _ signals: Descriptor) throws(JailError) -> KeptSecret {
        let fetch = try attempt(.secrets) { () throws(SystemError) in
            try SecretFetch([name], SecretRules(), store: "\(plan.stateDirectory)/\(SecretStore.directoryName)")
        }
        switch try Self.await(fetch, signals)[name] {
        case .value(let value, _): return value
        case .fault(let text, _): throw JailError(.secrets, said: text, status: ExitStatus.configuration)
        case nil: throw JailError(.secrets, reason: "'\(name)' has no value")
        }
    }

    // MARK: For the jail

    /// `NAME=placeholder`, of the variables that the bindings name.
    var environment: [String] {
        rules.variables.compactMap { variable, name, part in
            held.first { $0.name == name }.map { "\(variable)=\($0.placeholder.parts[part])" }
        }
    }

    /// By the secret's name, for ``PlaceholderFile``.
    var placeholders: [(name: String, text: String)] {
        let bound = rules.boundNames
        return held.filter { bound.contains($0.name) }.map { ($0.name, $0.placeholder.text) }
    }

    // MARK: For its gateways

    /// For a gateway that begins: a value before whose grace is not over comes first, so that the other one takes its place.
    var grants: [Grant] {
        let now = System.realtimeSeconds()
        return held.flatMap { held -> [Grant] in
            guard let current = held.current else { return [held.grant(nil)] }
            guard let previous = held.previous, previous.end > now else { return [held.grant(current)] }
            return [held.grant(previous.value), held.grant(current, grace: UInt64(previous.end - now) * 1000)]
        }
    }

    /// The only gateway has them: there will be no other one, and nobody asks for them here any more.
    func wipe() {
        for index in held.indices {
            (held[index].current, held[index].previous, held[index].spent) = (nil, nil, nil)
        }
    }

    // MARK: Other values

    enum Outcome: Equatable {
        case same, renewed, removed
        /// It could not be read: what was known counts on.
        case kept(String)
    }

    /// Names of those that can be read again: a variable of the caller's can be read only once.
    var renewable: [String] {
        rules.names.filter { if case .environment = rules.source(of: $0) { false } else { true } }
    }

    /// Milliseconds for which answers that are on their way are searched for a value that counts no more.
    private static let leastGrace: UInt64 = 60_000

    /// Takes what was read anew.
    ///
    /// - Returns: with what the gateway is to be told.
    func renew(_ name: String, _ result: SecretFetch.Result) -> (Outcome, Grant?) {
        guard let index = held.firstIndex(where: { $0.name == name }) else { return (.same, nil) }
        switch result {
        case .value(let value, let previous):
            if let current = held[index].current, current.bytes.isSame(as: value.bytes) { return (.same, nil) }
            if let spent = held[index].spent, spent.bytes.isSame(as: value.bytes) { return (.same, nil) }
            (held[index].current, held[index].previous, held[index].spent) = (value, previous, nil)
            let left = previous.map { UInt64(max(0, $0.end - System.realtimeSeconds())) * 1000 } ?? 0
            return (.renewed, held[index].grant(value, grace: max(left, Self.leastGrace)))
        case .fault(_, isMissing: true):
            (held[index].current, held[index].previous, held[index].spent) = (nil, nil, nil)
            return (.removed, held[index].grant(nil))
        case .fault(let text, isMissing: false): return (.kept(text), nil)
        }
    }
}

extension JailSecrets {
    /// Seconds for which a later gateway looks for what a provider has replaced.
    private static let replacedGrace: Int64 = 600

    enum Replacement {
        /// Nobody asked for another one.
        case unasked
        /// Since the secret was read.
        case first
        case again
    }

    /// A provider gave another value for a secret that is exchanged: gateways after this one begin with it. Of one that was
    /// removed meanwhile, or that no later gateway is to have, nothing is kept.
    func replace(_ name: String, by value: KeptSecret) -> Replacement {
        let fault = value.bytes.withSpan { rules.fault(in: $0, of: name) }
        guard rules.exchange(of: name) != nil, fault == nil, let index = held.firstIndex(where: { $0.name == name })
        else { return .unasked }
        guard let current = held[index].current else { return .again }
        let isFirst = held[index].spent == nil
        if isFirst { held[index].spent = current }
        held[index].previous = (current, System.realtimeSeconds() + Self.replacedGrace)
        held[index].current = value
        return isFirst ? .first : .again
    }
}

extension JailSecrets.Held {
    fileprivate func grant(_ value: KeptSecret?, grace: UInt64 = 0) -> JailSecrets.Grant {
        JailSecrets.Grant(name: name, placeholder: placeholder, value: value, grace: grace)
    }
}
