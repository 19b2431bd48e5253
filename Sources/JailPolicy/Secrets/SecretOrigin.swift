/// `secrets[].source`: where the value of a secret comes from.
package enum SecretOrigin: Hashable, Sendable {
    /// The sealed store, by the secret's name.
    case store
    /// A variable that clawjail was started with.
    case environment(String)
    /// The absolute path of a file on the host.
    case file(String)
    /// A credential that the service manager hands over, see `LoadCredentialEncrypted=` of systemd.exec(5).
    case credential(String)
    /// A program of the host's that gives secrets out.
    case program(SecretProgram)

    /// For people: continues `github, from`.
    package var shown: String {
        switch self {
        case .store: "the store"
        case .environment(let name): "the caller's variable \(name)"
        case .file(let path): path
        case .credential(let name): "the credential \(name)"
        case .program(let program): program.command
        }
    }
}

/// `secrets[].source.exec`: a program that speaks the protocol of OpenClaw's `exec` providers, with its keys.
package struct SecretProgram: Hashable, Sendable {
    /// What it is called in requests.
    package var provider = "clawjail"
    /// What it is asked for; nil: the secret's name.
    package var id: String?
    /// An absolute path on the host.
    package var command: String
    package var arguments: [String] = []
    /// Variables of the caller's that it gets; of the others it gets none.
    package var passEnvironment: [String] = []
    package var environment: [EnvironmentVariable] = []
    /// Milliseconds.
    package var timeout: UInt64 = 5000
    /// Milliseconds; nil: as long as it may run.
    package var noOutputTimeout: UInt64?
    /// Bytes of its answer.
    package var mostOutput: UInt64 = 1 << 20
    package var isJSONOnly = true

    package init(command: String) { self.command = command }
}

extension SecretRules {
    /// For the way out, which is given values and need not know where they come from.
    package var withoutSources: SecretRules {
        var rules = self
        for index in rules.bindings.indices { rules.bindings[index].source = nil }
        return rules
    }

    /// For whoever is shown a plan: of programs' variables only the names.
    package var withoutValues: SecretRules {
        var rules = self
        for (index, binding) in rules.bindings.enumerated() {
            guard case .program(var program) = binding.source else { continue }
            program.environment = program.environment.map { EnvironmentVariable(name: $0.name, value: "…") }
            rules.bindings[index].source = .program(program)
        }
        return rules
    }

    /// Where a secret comes from: as one of its bindings says, and the others leave to it.
    package func source(of name: String) -> SecretOrigin {
        bindings.lazy.filter { $0.name == name }.compactMap(\.source).first ?? .store
    }

    /// Variables of the jail that hold placeholders, the name of the secret of each, and which part of the placeholder.
    package var variables: [(variable: String, name: String, part: Int)] {
        var variables: [(variable: String, name: String, part: Int)] = []
        for binding in bindings {
            for (part, variable) in binding.variables.enumerated()
            where !variables.contains(where: { $0.variable == variable }) {
                variables.append((variable, binding.name, part))
            }
        }
        return variables
    }
}
