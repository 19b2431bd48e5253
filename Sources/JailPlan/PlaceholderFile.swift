internal import JailCore
package import JailPolicy

/// What a jail with `process.secretProvider` is shown: its placeholders by name, and a program that gives them to OpenClaw.
package enum PlaceholderFile {
    /// A JSON object, readable for the payload's user alone. Its names are those of the profile's bindings.
    package static let path = "/run/clawjail/secrets.json"
    /// Speaks the protocol of OpenClaw's `exec` providers.
    package static let program = "/run/clawjail/bin/clawjail-secrets"
    /// What the program hands to clawjail: the kernel makes one argument of all that follows an interpreter's name.
    package static let word = "secret provider"
    /// Bytes: of 64 bindings at most, each with a name and a placeholder that are short.
    package static let sizeLimit = 64 << 10

    package static func content(_ placeholders: [(name: String, text: String)]) -> String {
        JSON.object(placeholders.map { ($0.name, .string($0.text)) }).text() + "\n"
    }

    /// By name; nil: it is no such file.
    package static func read(_ content: [UInt8]) -> [String: SecretPlaceholder]? {
        guard content.count <= sizeLimit, let value = try? JSON5Reader.read(content, file: path),
            case .object(let members) = value.content
        else { return nil }
        var result: [String: SecretPlaceholder] = [:]
        for member in members {
            guard let placeholder = member.value.text.flatMap(SecretPlaceholder.init(text:)) else { return nil }
            result[member.key] = placeholder
        }
        return result
    }
}

extension LaunchPlan {
    /// Fills in what stands for the secrets of this start: after the plan was written down, which nobody keeps them in.
    package mutating func show(placeholders: [(name: String, text: String)]) {
        for index in mounts.indices {
            guard case .file(PlaceholderFile.path, _, let mode) = mounts[index] else { continue }
            mounts[index] = .file(
                path: PlaceholderFile.path, content: PlaceholderFile.content(placeholders), mode: mode)
        }
    }
}
