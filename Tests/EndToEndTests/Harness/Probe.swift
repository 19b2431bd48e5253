import Foundation
import Testing

/// What jailprobe printed.
struct Probe: @unchecked Sendable {
    let root: [String: Any]

    init(_ data: Data) throws {
        guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw HarnessError("jailprobe printed no object")
        }
        root = object
    }

    /// Runs jailprobe in a jail.
    static func inside(_ jail: Jail, options: [String] = [], arguments: [String] = []) throws -> Probe {
        let finished = try jail.run(options, command: [Host.probe] + arguments)
        try #require(finished.status == 0, "\(finished.errors)")
        return try Probe(finished.output)
    }

    /// Without any jail, as whoever runs the tests.
    static func unconfined(_ arguments: [String] = []) throws -> Probe {
        try Probe(Running([Host.probe] + arguments, environment: Host.environment).wait().output)
    }

    /// What came of an attempt: `ok`, `errno EPERM`, `signal SYS`. Failing if there was none of that name.
    func result(_ attempt: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let result = ((root["attempts"] as? [String: Any])?[attempt] as? [String: Any])?["result"] as? String
        if result == nil { Issue.record("no attempt '\(attempt)'", sourceLocation: sourceLocation) }
        return result ?? "?"
    }

    var attempts: [String: String] {
        ((root["attempts"] as? [String: Any]) ?? [:]).compactMapValues { ($0 as? [String: Any])?["result"] as? String }
    }

    func text(_ name: String, _ key: String) -> String { (section(name)[key] as? String) ?? "" }
    func number(_ name: String, _ key: String) -> Int? { (section(name)[key] as? NSNumber)?.intValue }
    func section(_ name: String) -> [String: Any] { (root[name] as? [String: Any]) ?? [:] }

    var descriptors: [Int] {
        ((root["descriptors"] as? [[String: Any]]) ?? []).compactMap { ($0["number"] as? NSNumber)?.intValue }
    }
    var pids: [Int] { ((root["pids"] as? [NSNumber]) ?? []).map(\.intValue) }
    var groups: [Int] { ((section("identity")["groups"] as? [NSNumber]) ?? []).map(\.intValue) }
    var uids: [String] { (section("identity")["uids"] as? [String]) ?? [] }
    var gids: [String] { (section("identity")["gids"] as? [String]) ?? [] }
    var environment: [String: String] { (root["environment"] as? [String: String]) ?? [:] }
    var capabilities: [String: String] { (section("identity")["capabilities"] as? [String: String]) ?? [:] }
    var namespaces: [String: String] { (root["namespaces"] as? [String: String]) ?? [:] }
    func listing(_ directory: String) -> [String]? { section("directories")[directory] as? [String] }
    func limit(_ name: String) -> [String] { (section("process")["limits"] as? [String: [String]])?[name] ?? [] }

    /// Mounts by target.
    var mounts: [[String: String]] { (root["mounts"] as? [[String: String]]) ?? [] }
    func mount(_ target: String) -> [String: String]? { mounts.last { $0["target"] == target } }
}
