internal import CPSL

/// https://publicsuffix.org, by libpsl with the list that is built into it.
enum PublicSuffix {
    /// Whether anybody can register names directly below, at a registry (`co.uk`) or with a provider (`github.io`).
    static func contains(_ name: HostName) -> Bool {
        guard let list = unsafe psl_builtin() else { return false }
        return unsafe name.text.withCString { unsafe psl_is_public_suffix2(list, $0, PSL_TYPE_ANY) } == 1
    }
}
