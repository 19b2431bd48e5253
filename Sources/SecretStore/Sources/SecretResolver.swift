package import JailCore
package import JailPolicy

/// Asks for the secrets of a profile where each of them comes from.
package struct SecretResolver {
    private let rules: SecretRules
    /// The directory of the store.
    private let store: String
    /// `$CREDENTIALS_DIRECTORY`.
    private let credentials: String?

    package init(_ rules: SecretRules, store: String, credentials: String?) {
        self.rules = rules
        self.store = store
        self.credentials = credentials
    }

    /// Those that can be put into requests, and of each of the others why not. Secrets of one program are asked for in one go.
    ///
    /// - Parameter now: seconds since the epoch.
    package func resolve(_ names: [String], now: Int64) -> [(name: String, result: Result<ResolvedSecret, JailError>)] {
        var results: [(name: String, result: Result<ResolvedSecret, JailError>)] = []
        for (place, names) in places(names) {
            do throws(JailError) {
                results += try ask(place, names, now)
            } catch { results += names.map { ($0, .failure(error)) } }
        }
        return results
    }

    private func ask(
        _ place: SecretOrigin, _ names: [String], _ now: Int64
    ) throws(JailError) -> [(name: String, result: Result<ResolvedSecret, JailError>)] {
        let ids = names.map { rules.source(of: $0).id ?? $0 }
        let source = try source(place)
        // Of a program one answer counts for all; elsewhere each stands for itself.
        var known: [String: ResolvedSecret] = [:]
        if case .program = place { known = try source.resolve(ids, now: now) }
        var results: [(name: String, result: Result<ResolvedSecret, JailError>)] = []
        for (name, id) in zip(names, ids) {
            let result = result(of: name, place) { () throws(JailError) in
                if let secret = known[id] { return secret }
                return try source.resolve([id], now: now)[id]
            }
            results.append((name, result))
        }
        return results
    }

    private func places(_ names: [String]) -> [(SecretOrigin, [String])] {
        var places: [(SecretOrigin, [String])] = []
        for name in names {
            let place = rules.source(of: name).place
            if let index = places.firstIndex(where: { $0.0 == place }) {
                places[index].1.append(name)
            } else {
                places.append((place, [name]))
            }
        }
        return places
    }

    private func source(_ place: SecretOrigin) throws(JailError) -> any SecretSource {
        switch place {
        case .store:
            var finder = StoreKeyFinder(credentials: credentials, wantsKeyring: false)
            finder.mayUseKeyring = true
            return try SecretStore(store, finder)
        case .environment: return EnvironmentSource()
        case .file: return FileSource()
        case .credential:
            guard let credentials, !credentials.isEmpty else {
                throw JailError(
                    .secrets, reason: "there are no credentials: CREDENTIALS_DIRECTORY is not set",
                    hint: "start it by a unit with LoadCredentialEncrypted=, see docs/secrets.md")
            }
            return try CredentialSource(directory: credentials)
        case .program(let program): return ExecSource(ExecProvider(program))
        }
    }

    private func result(
        of name: String, _ place: SecretOrigin, _ resolve: () throws(JailError) -> ResolvedSecret?
    ) -> Result<ResolvedSecret, JailError> {
        do throws(JailError) {
            guard let secret = try resolve() else { throw JailError(.secrets, reason: "'\(name)' has no value") }
            if let fault = secret.current.bytes.withSpan({ rules.fault(in: $0, of: name) }) {
                throw JailError(.secrets, reason: "the value of '\(name)' \(fault)", hint: place.remedy(name))
            }
            return .success(withoutUnfit(secret, name))
        } catch {
            guard case .store = place, error.status == ExitStatus.notThere else { return .failure(error) }
            return .failure(
                JailError(.secrets, reason: error.reason, hint: place.remedy(name), status: ExitStatus.notThere))
        }
    }

    /// A value before that never could be put into requests did not come back in answers either.
    private func withoutUnfit(_ secret: ResolvedSecret, _ name: String) -> ResolvedSecret {
        guard let previous = secret.previous,
            previous.value.bytes.withSpan({ rules.fault(in: $0, of: name) }) != nil
        else { return secret }
        return ResolvedSecret(current: secret.current, previous: nil)
    }
}

extension SecretOrigin {
    /// What a program, a file or the like is asked for; nil: the secret's name.
    fileprivate var id: String? {
        switch self {
        case .store: nil
        case .environment(let name), .credential(let name): name
        case .file(let path): path
        case .program(let program): program.id
        }
    }

    /// The same for all secrets that are asked for together.
    fileprivate var place: SecretOrigin {
        switch self {
        case .store: return .store
        case .environment: return .environment("")
        case .file: return .file("")
        case .credential: return .credential("")
        case .program(var program):
            program.id = nil
            return .program(program)
        }
    }

    fileprivate func remedy(_ name: String) -> String? {
        guard case .store = self else { return nil }
        return "'clawjail secret set \(name)'\(System.effectiveUserID == 0 ? ", as root," : "") keeps one"
    }
}

extension ExecProvider {
    init(_ program: SecretProgram) {
        self.init(name: program.provider, command: program.command)
        arguments = program.arguments
        passEnvironment = program.passEnvironment
        environment = Dictionary(program.environment.map { ($0.name, $0.value) }) { $1 }
        timeout = program.timeout
        noOutputTimeout = program.noOutputTimeout
        mostOutput = Int(program.mostOutput)
        isJSONOnly = program.isJSONOnly
    }
}
