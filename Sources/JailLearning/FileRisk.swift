internal import JailPolicy

/// What it means to show a path.
enum FileRisk {
    static func text(_ path: String, isWritable: Bool, isSocket: Bool, isWhole: Bool) -> String {
        if isSocket { return "whoever listens there does for the jail what it asks, outside of the jail" }
        let what = isWhole ? "everything in it" : "it"
        let text =
            isWritable
            ? "the jail can change and remove \(what); whatever outside reads or runs it reads what the jail wrote"
            : "the jail can read \(what), and send it wherever the network's rules let it"
        return isWhole ? text + "; also what was not asked for, and what comes there later" : text
    }

    /// Why a path should not be shown all the same.
    static func objection(to path: String, isSocket: Bool = false) -> String? {
        if isSocket {
            return isDaemon(path)
                ? "it is the socket of a daemon that acts as root: whoever may speak to it has the host"
                : "it is the socket of a program outside, which no rule of the profile holds"
        }
        let names = path.lowercased().split(separator: "/")
        if let name = names.first(where: { directories.contains(String($0)) }) {
            return "'\(name)' is where keys and credentials are kept"
        }
        guard let last = names.last.map(String.init) else { return nil }
        // `.env`, `.env.local`, `id_ed25519`, `server.key`, `aws-credentials.json`.
        let isSecret =
            last.hasPrefix(".env") || last.hasPrefix("id_") || endings.contains(where: last.hasSuffix)
            || words.contains(where: last.contains)
        return isSecret ? "by its name it holds keys or credentials" : nil
    }

    private static func isDaemon(_ path: String) -> Bool {
        ["docker", "containerd", "podman", "crio", "dbus", "systemd", "libvirt", "lxd", "snapd"]
            .contains(where: path.contains)
    }

    private static let directories: Set<String> = [
        ".ssh", ".aws", ".azure", ".gnupg", ".docker", ".kube", ".password-store", "keyrings", "gcloud", "gh",
        "ssh", "ssl-private", "private", "secrets", ".mozilla", ".thunderbird", "google-chrome", "chromium",
    ]
    private static let endings = [".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".keytab", "_history"]
    private static let words = [
        "credential", "secret", "password", "passwd", "shadow", "token", ".netrc", ".npmrc", ".pypirc", ".pgpass",
        ".git-credentials", "htpasswd", "apikey", "api_key",
    ]
}
