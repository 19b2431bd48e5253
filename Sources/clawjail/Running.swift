import JailCgroups
import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// What a jail's run directory says of it.
struct RunningJail {
    let name: String
    let profile: String
    let supervisor: Int64
    let started: Int64
    let command: [String]
    let published: [String]
    /// Its control groups: `unified`, or of version 1 one for each controller.
    let cgroups: [String: String]
    /// The state file as it stands.
    let text: String

    /// Where this user's jails are found.
    static func directory() -> String {
        HostRequest.runtimeDirectory(
            uid: System.effectiveUserID, runtimeHome: System.environmentValue("XDG_RUNTIME_DIR"))
    }

    static func all() throws(JailError) -> [RunningJail] {
        JailAddress.all().compactMap { (address, presence) in
            if case .running(let state) = presence { RunningJail(name: address.shown, state: state) } else { nil }
        }
    }

    init?(name: String, state: [UInt8]) {
        guard let value = try? JSON5Reader.read(state, file: name) else { return nil }
        self.name = name
        profile = value["profile"]?.string ?? "?"
        supervisor = value["supervisor"]?.integer ?? 0
        started = value["started"]?.integer ?? 0
        command = value["command"]?.strings ?? []
        published = value["publish"]?.strings ?? []
        cgroups = value["cgroups"]?.members ?? [:]
        text = String(decoding: state, as: UTF8.self)
    }

    /// What it uses; nil: it has no control group, or has just ended.
    var usage: GroupUsage? {
        if let directory = cgroups["unified"] { return try? GroupUsage(unified: directory) }
        return cgroups.isEmpty ? nil : try? GroupUsage(separate: cgroups)
    }

    var isPaused: Bool { cgroups["unified"] != nil && usage?.isFrozen == true }
}

extension JSON5Value {
    var string: String? { if case .string(let text) = content { text } else { nil } }
    var integer: Int64? { if case .number(let number) = content { number.integer } else { nil } }
    /// Of an object, those that are strings.
    fileprivate var members: [String: String] {
        guard case .object(let members) = content else { return [:] }
        var result: [String: String] = [:]
        for member in members { result[member.key] = member.value.string }
        return result
    }
    fileprivate var strings: [String]? {
        if case .array(let values) = content { values.compactMap(\.string) } else { nil }
    }
}
