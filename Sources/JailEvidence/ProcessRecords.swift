package import JailCore

/// The processes of a jail as the host's /proc shows them, init first. They stand still; whoever is gone is left out.
package enum ProcessRecords {
    private static let mostProcesses = 32768
    private static let mostFiles = 4096
    /// Bytes of one file of /proc.
    private static let longest = 1 << 18

    package static func all(below initPID: Int32) throws(JailError) -> JSON {
        let pids = try attempt(.lockdown, "/proc") { () throws(SystemError) in try tree(below: initPID) }
        return .array(pids.prefix(mostProcesses).compactMap(record))
    }

    /// The sockets of the jail's network namespace, as text of the kernel's.
    package static func sockets(of initPID: Int32) -> [UInt8] {
        var text: [UInt8] = []
        for name in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "netlink", "route", "dev"] {
            guard let content = head("/proc/\(initPID)/net/\(name)") else { continue }
            text += Array("== \(name)\n".utf8) + content
        }
        return text
    }

    private static func tree(below initPID: Int32) throws(SystemError) -> [Int32] {
        let proc = try System.open("/proc", [.readOnly, .directory])
        var children: [Int32: [Int32]] = [:]
        for entry in try System.names(in: proc.borrowed) {
            guard let pid = Int32(entry.name), let words = stat(pid), words.count > 1,
                let parent = Int32(words[1])
            else { continue }
            children[parent, default: []].append(pid)
        }
        var found = [initPID]
        var next = 0
        while next < found.count {
            found += children.removeValue(forKey: found[next]) ?? []
            next += 1
        }
        return found
    }

    /// The words of /proc/PID/stat after the name in parentheses, which may hold anything.
    private static func stat(_ pid: Int32) -> [String]? {
        guard let text = head("/proc/\(pid)/stat"), let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return text[(end + 1)...].split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func record(_ pid: Int32) -> JSON? {
        let directory = "/proc/\(pid)"
        guard let stat = stat(pid), stat.count > 21 else { return nil }
        return [
            "pid": .number(pid), "parent": .optional(stat[1]), "state": .string(stat[0]),
            "startTicks": .string(stat[19]), "name": .optional(head("\(directory)/comm").map(text)),
            "status": status(directory), "executable": link("\(directory)/exe"),
            "directory": link("\(directory)/cwd"),
            "command": .strings(
                EvidenceText.redacted(strings("\(directory)/cmdline").map { String(decoding: $0, as: UTF8.self) })),
            "environment": EvidenceText.names(strings("\(directory)/environ")), "files": files(directory),
        ]
    }

    /// What tells most, of many lines.
    private static func status(_ directory: String) -> JSON {
        let wanted = ["NSpid", "Uid", "Gid", "Threads", "VmRSS", "VmSwap", "SigPnd", "ShdPnd", "CapEff", "Seccomp"]
        guard let content = head("\(directory)/status") else { return .null }
        var found: [(String, JSON)] = []
        for line in content.split(separator: 0x0A) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2, let name = wanted.first(where: { Array($0.utf8) == Array(parts[0]) }) else {
                continue
            }
            found.append((name, .string(text(Array(parts[1].drop { $0 == 0x09 || $0 == 0x20 })))))
        }
        return .object(found)
    }

    private static func files(_ directory: String) -> JSON {
        guard let opened = try? System.open("\(directory)/fd", [.readOnly, .directory]),
            let names = try? System.names(in: opened.borrowed, limit: mostFiles)
        else { return .null }
        return .array(
            names.compactMap { Int32($0.name) }.sorted().map { number in
                let place = head("\(directory)/fdinfo/\(number)").map { fields($0, ["pos", "flags"]) } ?? []
                return .object([("number", .number(number)), ("file", link("\(directory)/fd/\(number)"))] + place)
            })
    }

    private static func fields(_ content: [UInt8], _ wanted: [String]) -> [(String, JSON)] {
        content.split(separator: 0x0A).compactMap { line in
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1).map { text(Array($0)) }
            guard parts.count == 2, wanted.contains(parts[0]) else { return nil }
            return (parts[0], .string(String(parts[1].drop { $0 == "\t" || $0 == " " })))
        }
    }

    private static func link(_ path: String) -> JSON { .optional((try? System.readLink(path))?.printable) }

    private static func strings(_ path: String) -> [[UInt8]] { (head(path) ?? []).split(separator: 0).map(Array.init) }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.last == 0x0A ? bytes.dropLast() : bytes[...], as: UTF8.self).printable
    }

    /// The beginning of a file of /proc; nil: it is gone, or not ours to read.
    private static func head(_ path: String) -> [UInt8]? {
        guard let file = try? System.open(path, .readOnly) else { return nil }
        var content: [UInt8] = []
        while content.count < longest {
            guard let part = try? System.read(file.borrowed, most: 65536) else {
                return content.isEmpty ? nil : content
            }
            if part.isEmpty { break }
            content += part
        }
        return content
    }
}
