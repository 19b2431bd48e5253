package import JailCore

/// Variables of the environment that clawjail was started with. Each is read once, and zeroes stand in its place afterwards,
/// also in `/proc/PID/environ`; whoever started clawjail still has it.
package struct EnvironmentSource: SingleSecretSource {
    package init() {}

    package func value(of id: String, now: Int64) throws(JailError) -> ResolvedSecret {
        guard Self.isName(id) else {
            throw JailError(
                .secrets, reason: "'\(String(id.prefix(80)).printable)' is no name of an environment variable")
        }
        let given = try attempt(.secrets) { () throws(SystemError) in
            try System.takeEnvironmentSecret(id, limit: SecretValue.mostBytes)
        }
        guard let given, given.bytes.count > 0 else {
            throw JailError(
                .secrets, reason: "the environment variable '\(id)' is not set, or is empty",
                hint: "it counts only once: what was read is not there any more")
        }
        return ResolvedSecret(current: given, previous: nil)
    }

    private static func isName(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 256
            && id.utf8.allSatisfy { $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) }
            && !(0x30...0x39).contains(id.utf8.first ?? 0x30)
    }
}
