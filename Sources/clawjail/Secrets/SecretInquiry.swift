import JailCore
import JailPolicy

/// Asks a service whether it takes a secret: in a jail of its own, which may ask this one thing, and by a client in it that has
/// a placeholder as every other program.
struct SecretInquiry {
    /// Of the store's name, what the service is asked with.
    let binding: SecretBinding
    let host: HostName
    /// The target of the request.
    let path: String
    let profile: Profile

    static let defaultPath = "/"
    private static let variable = "CLAWJAIL_TRIAL"

    /// - Parameters:
    ///   - base: has the binding, and says what the way out uses of the host.
    ///   - path: with a query, if that is wanted.
    init(_ binding: SecretBinding, _ base: Profile, path: String) throws(JailError) {
        guard let host = binding.hosts.first, let port = binding.ports.first,
            let target = CanonicalPath(target: path), target.target == path
        else { throw JailError(.usage, reason: "--path must be a path such as \"/user\", not \"\(path.excerpt)\"") }
        guard base.secrets.exchange(of: binding.name) == nil else {
            throw JailError(
                .usage,
                reason: "'\(binding.name)' is exchanged for access tokens, and trying could use it up: some providers "
                    + "take each refresh token once")
        }
        self.host = host
        self.path = path
        var one = SecretBinding(name: binding.name, hosts: [host], place: binding.place)
        (one.environment, one.ports, one.methods) = (Self.variable, [port], ["GET"])
        one.source = base.secrets.source(of: binding.name)
        self.binding = one
        var profile = Profile(name: "secret-test")
        profile.process.programs = [ProgramRule(name: "sh"), ProgramRule(name: "curl")]
        profile.process.user = System.effectiveUserID == 0 ? base.process.user ?? "nobody" : nil
        var rule = NetworkRule(hosts: [.exact(host)], methods: ["GET"], ports: [port])
        rule.schemes = [.https]
        if case .path = one.place {} else { rule.paths = try Self.pattern(target.path) }
        profile.network.allow = [rule]
        profile.network.allowPrivate = base.network.allowPrivate
        profile.network.upstream = base.network.upstream
        profile.network.onGatewayExit = .stop
        profile.secrets.bindings = [one]
        profile.optional = base.optional.union([.groups, .cgroup, .time, .apparmor])
        self.profile = profile
    }

    /// In clawjail's own store.
    var isKept: Bool { binding.source == .store }

    private static func pattern(_ path: String) throws(JailError) -> [PathPattern] {
        do throws(ValueError) { return [try PathPattern.parse(path)] } catch {
            throw JailError(.usage, reason: "--path \(error.reason)")
        }
    }

    /// GitHub's, which needs no profile.
    static func gitHub(_ name: String) throws(JailError) -> SecretInquiry {
        guard let host = HostName(user: "api.github.com") else { throw JailError(.usage, reason: "no host") }
        return try SecretInquiry(
            SecretBinding(name: name, hosts: [host], place: .bearer), Profile(name: "github"), path: defaultPath)
    }

    // MARK: The client

    /// Of curl, without what the user's own file says, and in time.
    private static let options =
        "curl -q -s -i --suppress-connect-headers -m 30 -A clawjail-secret-test -H 'Accept: application/json'"

    /// The placeholder comes from the environment, and everything else as an argument: nothing of it is read by the shell.
    var command: [String] {
        let authority = binding.ports == [443] ? host.text : "\(host.text):\(binding.ports[0])"
        let url = "https://\(authority)"
        let (script, words): (String, [String]) =
            switch binding.place {
            case .bearer: (#"-H "$2$T" "$1""#, [url + path, "Authorization: Bearer "])
            case .header(let name, let prefix): (#"-H "$2$T" "$1""#, [url + path, "\(name): \(prefix)"])
            case .basic(let user): (#"-u "$2$T" "$1""#, [url + path, "\(user):"])
            case .query(let key):
                (#""$1$T""#, [url + path + (path.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + "\(key)="])
            case .path(let before, let after):
                (#""$1$T$2""#, [url + before, after.isEmpty ? "" : after + path.dropFirst()])
            case .sigV4(let scope):
                (
                    #"--aws-sigv4 "$2" -u "$T_ACCESS_KEY_ID:$T_SECRET_ACCESS_KEY" "$1""#,
                    [url + path, "aws:amz:\(scope.region):\(scope.service)"]
                )
            }
        let filled = script.replacing("$T", with: "$\(Self.variable)")
        return ["/bin/sh", "-c", "exec \(Self.options) \(filled)", "sh"] + words
    }
}

/// What a service answered, as the client wrote it down: a head, an empty line, and the beginning of a body.
struct SecretAnswer {
    let status: Int
    private var fields: [String: String] = [:]
    private let body: [UInt8]

    /// nil: that is no answer.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: "\r\n\r\n".utf8) }) else { return nil }
        let lines = bytes[..<end].split(separator: 0x0A).map { line in
            String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
        }
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]), (100...999).contains(status)
        else { return nil }
        self.status = status
        body = Array(bytes[(end + 4)...])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " }
            fields[parts[0].lowercased(), default: ""] = String(value)
        }
    }

    /// Why the way out did not ask; nil: it did.
    private var denial: String? {
        guard let value = try? JSON5Reader.read(body, file: "answer"), let error = value["error"]?.text,
            ["denied by clawjail", "not reached"].contains(error)
        else { return nil }
        return value["reason"]?.text ?? error
    }

    /// For people. What comes from outside is printed as what it is, and no more of it than is needed.
    ///
    /// - Throws: the service does not take the secret.
    func lines(_ name: String, _ host: String) throws(JailError) -> [String] {
        if let denial { throw JailError(.secrets, reason: "\(host) could not be asked: \(denial.excerpt)") }
        guard (200...399).contains(status) else {
            let word = status == 401 || status == 403 ? "does not take '\(name)'" : "answers otherwise than hoped for"
            throw JailError(.secrets, reason: "\(host) \(word): it answers \(status)", status: ExitStatus.refused)
        }
        var lines = ["\(name): \(host) takes it (\(status))"]
        if let scopes = fields["x-oauth-scopes"] {
            lines.append("\(name): its scopes are \(scopes.isEmpty ? "none" : scopes.excerpt)")
        } else if host == "api.github.com" {
            lines.append("\(name): no scopes: fine-grained tokens and those of apps have permissions in their place")
        }
        if let end = fields["github-authentication-token-expiration"] {
            lines.append("\(name): it ends \(end.excerpt)")
        }
        return lines
    }
}
