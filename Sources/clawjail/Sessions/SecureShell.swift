import JailCore
import JailLaunch
import JailPlan

/// `clawjail-ssh`: what OpenClaw's ssh sandbox calls in the place of ssh(1), in the two forms that it uses and no others:
///
///     clawjail-ssh -F CONFIG -T -o RequestTTY=no HOST COMMAND
///     clawjail-ssh -F CONFIG -tt -o RequestTTY=force -o SetEnv=NAME=VALUE HOST COMMAND
///
/// There is no network and no key: the target `NAME@PROFILE` in CONFIG stands for the session NAME with that profile, made
/// when it is first called. Its /workspace is a directory of clawjail's own on this host, which outlives it.
struct SecureShell: Equatable {
    var configuration = ""
    var terminal = false
    /// `NAME=VALUE`
    var environment: [String] = []
    var host = ""
    var command = ""

    /// Bytes of the session's /workspace.
    private static let workspaceSize: UInt64 = 1 << 30
    /// What ssh(1) exits with when it failed itself.
    private static let failed: Int32 = 255

    static func run(_ words: ArraySlice<String>) -> Never {
        do throws(JailError) {
            let call = try SecureShell(words)
            let settings = try call.settings()
            try SessionCreation.create(settings)
            var request = ExecRequest(arguments: ["/bin/sh", "-c", call.command].map { Array($0.utf8) })
            request.environment = call.environment.map { Array($0.utf8) }
            if call.terminal { request.terminal = TerminalSize(rows: 0, columns: 0) }
            Output.leave(try ExecClient.run(request) { () throws(JailError) in try JailConnection.open(settings.id) })
        } catch {
            Output.say(error.description)
            Output.leave(failed)
        }
    }

    init(_ words: ArraySlice<String>) throws(JailError) {
        var words = words
        var rest: [String] = []
        while let word = words.popFirst() {
            switch word {
            case "-F": configuration = words.popFirst() ?? ""
            case "-T": terminal = false
            case "-tt": terminal = true
            case "-o": try take(option: words.popFirst() ?? "")
            case let word where word.hasPrefix("-") && rest.isEmpty:
                throw Self.refusal("option '\(word.printable)'")
            default: rest.append(word)
            }
        }
        guard !configuration.isEmpty else { throw Self.refusal("a call without -F CONFIG") }
        guard rest.count == 2 else { throw Self.refusal("anything but one host and one command") }
        (host, command) = (rest[0], rest[1])
    }

    private mutating func take(option: String) throws(JailError) {
        let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count) {
        case ("RequestTTY", 2): break
        case ("SetEnv", 2) where parts[1].contains("="): environment.append(parts[1])
        default: throw Self.refusal("-o '\(option.printable)'")
        }
    }

    private static func refusal(_ what: String) -> JailError {
        JailError(
            .usage, reason: "clawjail-ssh does not take \(what)",
            hint: "it stands in for ssh in OpenClaw's ssh sandbox, and for nothing else")
    }

    // MARK: The target

    private func settings() throws(JailError) -> SessionSettings {
        let content = try attempt(.usage, configuration) { () throws(SystemError) in
            try System.readFile(configuration, limit: 1 << 16)
        }
        let (user, profile) = Self.target(String(decoding: content, as: UTF8.self))
        guard let user, let profile, JailName.isValid(user), !profile.utf8.contains(UInt8(ascii: "/")) else {
            throw JailError(
                .usage, path: configuration, reason: "it names no User and HostName that are a session and its profile",
                hint: "set the target of OpenClaw's ssh sandbox to NAME@PROFILE, such as chats@session")
        }
        var settings = SessionSettings()
        settings.id = user
        settings.profile = profile
        settings.ownWorkspace = Self.workspaceSize
        return settings
    }

    /// `User` and `HostName` of ssh_config(5). The first of each counts; everything else there is about a network.
    static func target(_ text: String) -> (user: String?, host: String?) {
        var user: String?
        var host: String?
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "=" }.map(String.init)
            guard words.count == 2 else { continue }
            switch words[0].lowercased() {
            case "user": user = user ?? words[1]
            case "hostname": host = host ?? words[1]
            default: break
            }
        }
        return (user, host)
    }
}
