package import JailPolicy

/// What `jailprobe` has found, as it printed it.
package struct ProbeReport: Sendable {
    package var root: JSON5Value

    /// nil: it is not what jailprobe prints.
    package init?(_ text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: "jailprobe"), case .object = value.content else {
            return nil
        }
        root = value
    }

    package subscript(_ path: [String]) -> JSON5Value? {
        path.reduce(Optional(root)) { value, key in value?[key] }
    }

    /// `ok`, `errno NAME`, `signal NAME`; nil: it was not tried.
    package func result(_ attempt: String) -> String? { self[["attempts", attempt, "result"]]?.text }

    /// The number that came of an attempt, or what `answer` says of it.
    package func value(_ attempt: String) -> Int64? { self[["attempts", attempt, "value"]]?.integer }
    package func answer(_ attempt: String) -> String? { self[["attempts", attempt, "answer"]]?.text }

    /// A fact as people read it: the elements of a list with spaces between them; nil: it was not found out.
    package func fact(_ path: [String]) -> String? { self[path].flatMap(Self.words) }

    private static func words(_ value: JSON5Value) -> String? {
        switch value.content {
        case .null: nil
        case .boolean(let value): value ? "yes" : "no"
        case .number(let number): number.text
        case .string(let text): text
        case .array(let values): values.map { words($0) ?? "?" }.joined(separator: " ")
        case .object: nil
        }
    }
}
