internal import JailCore
internal import JailPolicy

/// Answers of programs, as strictly read as a profile.
enum JSONLimits {
    static let mostBytes = JSON5Reader.sizeLimit

    /// nil: it is no JSON. Texts that are made on the way cannot be wiped, see ``SecretBytes``.
    static func read(_ answer: borrowing SecretBytes) -> JSON5Value? {
        guard answer.count <= mostBytes else { return nil }
        var bytes = unsafe answer.withBytes { unsafe [UInt8]($0) }
        defer { for index in bytes.indices { bytes[index] = 0 } }
        return try? JSON5Reader.read(bytes, file: "")
    }
}
