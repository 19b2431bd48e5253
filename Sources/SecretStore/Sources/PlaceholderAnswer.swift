package import JailCore
package import JailPolicy

/// The other side of ``ExecProvider``, inside a jail: what OpenClaw is answered when it asks for secrets. There are
/// placeholders there, and nothing else that could be given out.
package enum PlaceholderAnswer {
    /// Bytes of a request. OpenClaw keeps its own below 256 KiB.
    package static let sizeLimit = 1 << 20

    /// - Throws: ``ExitStatus/usage``: it is no request of the protocol. Nothing of it is repeated.
    package static func answer(
        to request: [UInt8], from placeholders: [String: SecretPlaceholder]
    ) throws(JailError) -> JSON {
        guard let value = try? JSON5Reader.read(request, file: ""), case .object = value.content,
            value["provider"]?.text != nil, case .array(let elements)? = value["ids"]?.content
        else {
            throw refusal("the request must be a JSON object with 'protocolVersion', 'provider' and 'ids'")
        }
        guard value["protocolVersion"]?.integer == ExecProvider.protocolVersion else {
            throw refusal("the protocol spoken here is version \(ExecProvider.protocolVersion)")
        }
        let ids = elements.compactMap(\.text)
        guard ids.count == elements.count, ids.count <= ExecProvider.mostIDs else {
            throw refusal("'ids' must be at most \(ExecProvider.mostIDs) texts")
        }
        var (values, errors): ([(String, JSON)], [(String, JSON)]) = ([], [])
        var seen: Set<String> = []
        for id in ids where seen.insert(id).inserted {
            if let placeholder = placeholders[id] {
                values.append((id, .string(placeholder.text)))
            } else {
                errors.append((id, ["message": "the jail's profile binds no secret of this name"]))
            }
        }
        return [
            "protocolVersion": .integer(ExecProvider.protocolVersion), "values": .object(values),
            "errors": .object(errors),
        ]
    }

    private static func refusal(_ reason: String) -> JailError { JailError(.usage, reason: reason) }
}
