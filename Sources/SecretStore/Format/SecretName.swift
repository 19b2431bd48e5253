package import JailCore

/// What a secret may be called: lower case, so that no two names look alike, and one component of a path.
package enum SecretName {
    package static let mostBytes = 64

    package static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= mostBytes else { return false }
        return isPlain(first) && name.utf8.allSatisfy { isPlain($0) || ".-_".utf8.contains($0) }
    }

    package static func check(_ name: String) throws(JailError) {
        guard !isValid(name) else { return }
        throw JailError(
            .secrets, reason: "'\(String(name.prefix(80)).printable)' is no name of a secret",
            hint: "up to 64 of a-z, 0-9, '.', '_' and '-', a letter or a digit first", status: ExitStatus.usage)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
