internal import JailCore

/// Programs that run whatever they are given: to allow one is to allow everything that can be written in its language.
package enum ProgramFamilies {
    private static let families: [(names: Set<String>, what: String)] = [
        (["sh", "bash", "dash", "zsh", "ash", "busybox", "fish", "ksh"], "a shell runs any command line"),
        (
            ["python", "python2", "python3", "perl", "ruby", "php", "lua", "tclsh", "awk", "gawk", "mawk"],
            "it runs any program written in its language"
        ),
        (["node", "nodejs", "deno", "bun", "npm", "npx", "pnpm", "yarn"], "it runs any JavaScript"),
        (
            ["git", "ssh", "rsync", "tar", "find", "xargs", "env", "make", "vim", "vi"],
            "its options start other programs"
        ),
        (["sudo", "su", "doas", "docker", "podman", "nsenter", "unshare"], "it is made to gain rights"),
    ]

    /// What is said of a program, given by name or path; nil: it is of no such family.
    package static func warning(_ program: String) -> String? {
        let base = program.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? program
        // python3.11 is a python3.
        let stem = base.split(separator: ".").first.map(String.init) ?? base
        guard let family = families.first(where: { $0.names.contains(base) || $0.names.contains(stem) }) else {
            return nil
        }
        return "'\(base.printable)': \(family.what)"
    }

    /// By name or path, and with a version behind it.
    package static func isShell(_ program: String) -> Bool {
        warning(program).map { $0.hasSuffix(families[0].what) } ?? false
    }

    /// Node is what the gateway itself is written for: a profile without it runs nothing.
    static func isGateway(_ program: String) -> Bool { program == "node" || program == "openclaw" }
}
