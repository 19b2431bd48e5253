import Foundation
import Glibc

/// Processes of the host, from /proc.
enum Tree {
    static func children(of pid: Int32) -> [Int32] {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }

    static func descendants(of pid: Int32) throws -> [Int32] {
        children(of: pid).flatMap { [$0] + ((try? descendants(of: $0)) ?? []) }
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return false }
        return !text[end...].hasPrefix(") Z")
    }
}
