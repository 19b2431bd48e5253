internal import JailCore

/// The files of one process below /proc.
struct ProcessFiles {
    let view: HostView
    let pid: Int32

    private var directory: String { "/proc/\(pid)" }

    var name: String? {
        view.text("\(directory)/comm", limit: 64, isQuiet: true).map { String($0.prefix { $0 != "\n" }) }
    }

    /// Its arguments. What a process has written over them counts.
    var words: [String] {
        let bytes = view.read("\(directory)/cmdline", limit: 1 << 16, isQuiet: true)?.bytes ?? []
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `Name:` and what follows, by name.
    var status: [String: String] {
        var result: [String: String] = [:]
        for line in (view.text("\(directory)/status", isQuiet: true) ?? "").split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            result[String(line[..<colon])] = String(value)
        }
        return result
    }

    /// nil: it may not be read.
    var environment: [(name: String, value: String)]? {
        guard let bytes = view.read("\(directory)/environ", limit: 1 << 18, isQuiet: true)?.bytes else { return nil }
        return bytes.split(separator: 0).compactMap { entry in
            let parts = entry.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
        }
    }

    func text(_ name: String) -> String? { view.text("\(directory)/\(name)", isQuiet: true) }
    func link(_ name: String) -> String? { view.link("\(directory)/\(name)") }

    /// Inodes of its sockets; nil: its descriptors may not be looked at.
    var sockets: Set<UInt64>? {
        guard case .found = view.look("\(directory)/fd"), link("ns/net") != nil,
            let names = view.names("\(directory)/fd", limit: 65_536)
        else { return nil }
        return Set(
            names.compactMap { name in
                guard let target = link("fd/\(name)"), target.hasPrefix("socket:["), target.hasSuffix("]") else {
                    return nil
                }
                return UInt64(target.dropFirst(8).dropLast())
            })
    }

    /// What waits for connections in its network namespace.
    var listeners: [Listener] { SocketTable.listeners(view, directory: "\(directory)/net") }
}

/// /proc/net/tcp and tcp6.
enum SocketTable {
    private static let limit = 8 << 20

    static func listeners(_ view: HostView, directory: String) -> [Listener] {
        ["tcp", "tcp6"].flatMap { name -> [Listener] in
            guard let content = view.read("\(directory)/\(name)", limit: limit, isQuiet: true) else { return [] }
            if content.isCut { view.remember("of \(directory)/\(name) only the first 8 MiB were looked at") }
            return content.bytes.split(separator: 0x0A).dropFirst().compactMap { line in
                let fields = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
                // 0A is TCP_LISTEN.
                guard fields.count > 9, fields[3] == "0A", let uid = UInt32(fields[7]), let inode = UInt64(fields[9])
                else { return nil }
                return listener(fields[1], uid: uid, inode: inode)
            }
        }
    }

    /// `0100007F:4965`: words of 32 bits in the machine's order, and a port.
    private static func listener(_ text: String, uid: UInt32, inode: UInt64) -> Listener? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, parts[0].utf8.count % 8 == 0, let port = UInt16(parts[1], radix: 16) else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
            rest = rest.dropFirst(8)
        }
        // An IPv4 address within IPv6.
        if bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            bytes = Array(bytes.suffix(4))
        }
        let isLoopback = bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        return Listener(address: shown(bytes), port: port, isLoopback: isLoopback, uid: uid, inode: inode)
    }

    private static func shown(_ bytes: [UInt8]) -> String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        if bytes.allSatisfy({ $0 == 0 }) { return "::" }
        if bytes.dropLast().allSatisfy({ $0 == 0 }), bytes.last == 1 { return "::1" }
        return stride(from: 0, to: bytes.count, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }
}
