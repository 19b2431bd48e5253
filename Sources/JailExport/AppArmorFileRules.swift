internal import JailCore
internal import JailPlan

/// The lines about files, each path once.
struct AppArmorFileRules {
    /// What the letters of a rule allow, see apparmor.d(5).
    struct Permissions: OptionSet {
        let rawValue: UInt8

        static let read = Permissions(rawValue: 1)
        static let write = Permissions(rawValue: 2)
        static let lock = Permissions(rawValue: 4)
        static let link = Permissions(rawValue: 8)
        /// As memory that is executed: libraries.
        static let map = Permissions(rawValue: 16)
        /// As a program, which stays in this profile.
        static let execute = Permissions(rawValue: 32)

        /// Everything that can be done to a file besides executing it.
        static let change: Permissions = [.read, .write, .lock, .link]

        var letters: String {
            let all: [(Permissions, String)] = [
                (.map, "m"), (.read, "r"), (.write, "w"), (.lock, "k"), (.link, "l"), (.execute, "ix"),
            ]
            return all.filter { contains($0.0) }.map(\.1).joined()
        }
    }

    private var order: [String] = ["\"/\""]
    private var permissions: [String: Permissions] = ["\"/\"": .read]

    var lines: [String] { order.map { "\($0) \(permissions[$0, default: []].letters)," } }

    /// What a step of the plan shows. A symlink is no file of its own: the kernel asks for what it leads to.
    mutating func add(_ step: MountStep) throws(JailError) {
        switch step {
        case .symlink, .pin: break
        case .directory(let path, _): try allow(path, .read, below: [])
        case .file(let path, _, _), .trust(let path, _, _), .cover(let path, _), .script(let path, _),
            .canary(let path, _):
            try allow(path, .read)
        case .socket(let path): try allow(path, [.read, .write])
        case .proc(let path): try allow(path, .read, below: .read)
        case .devpts(let path): try allow(path, .read, below: [.read, .write])
        case .tmpfs(let tmpfs): try allow(tmpfs.target, isDirectory: true, tmpfs.attributes)
        case .overlay(let overlay): try allow(overlay.target, isDirectory: true, overlay.attributes)
        case .bind(let bind) where bind.purpose == .device: try allow(bind.target, [.read, .write])
        case .bind(let bind): try allow(bind.target, isDirectory: bind.isDirectory, bind.attributes)
        }
    }

    /// What may be executed. All else follows from the mounts.
    mutating func add(_ rule: LandlockPlan.Rule, isDirectory: Bool?) throws(JailError) {
        guard rule.access == .execute || rule.access == .all else { return }
        let granted: Permissions = [.read, .map, .execute]
        if isDirectory != true { try allow(rule.path, granted) }
        if isDirectory != false { try allow(rule.path, .read, below: granted) }
    }

    private mutating func allow(
        _ path: String, isDirectory: Bool, _ attributes: MountAttributes
    ) throws(JailError) {
        var granted: Permissions = attributes.contains(.readOnly) ? [.read, .lock] : .change
        if !attributes.contains(.noExec) { granted.insert(.map) }
        if isDirectory {
            try allow(path, granted.intersection([.read, .write]), below: granted)
        } else {
            try allow(path, granted)
        }
    }

    /// A directory, which AppArmor knows by the slash at its end, and what is in it.
    private mutating func allow(_ path: String, _ own: Permissions, below: Permissions) throws(JailError) {
        let directory = path == "/" ? "/" : path + "/"
        try allow(directory, own)
        if !below.isEmpty { try allow(directory, below, suffix: "**") }
    }

    private mutating func allow(_ path: String, _ granted: Permissions, suffix: String = "") throws(JailError) {
        let pattern = "\"" + (try Self.escape(path)) + suffix + "\""
        if permissions[pattern] == nil { order.append(pattern) }
        permissions[pattern, default: []].formUnion(granted)
    }

    /// A path as a pattern that fits this path alone. What could mean anything to the parser is written as a number: so the
    /// parser of every version takes it for the character itself.
    static func escape(_ path: String) throws(JailError) -> String {
        guard path.utf8.allSatisfy({ $0 != 0 && $0 != 0x0A && $0 != 0x0D }) else {
            throw JailError(
                .plan, path: path, reason: "an AppArmor profile cannot name a path with a line break in it",
                hint: "rename it, or show it under another name: SOURCE:TARGET")
        }
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                let digits = String(byte, radix: 8)
                bytes += Array(("\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
        case 0x20, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x3A, 0x3D, 0x5F: true
        default: false
        }
    }
}
