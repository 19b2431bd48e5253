import AuditViews
import JailCore
import JailHost
import JailLearning
import JailPlan
import JailPolicy

/// Records of runs under `learn`: `learn/NAME-TIME.jsonl` below clawjail's state directory.
enum LearnedFiles {
    static let suffix = ".jsonl"

    static func directory() throws(JailError) -> String {
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        return request.stateDirectory(try CallerFacts.current()) + "/learn"
    }

    /// Names without the ending, in the order of time; none where nothing was ever learnt.
    static func names() throws(JailError) -> [String] {
        let path = try directory()
        do throws(SystemError) {
            let opened = try System.open(path, [.readOnly, .directory, .noFollow])
            let entries = try System.names(in: opened.borrowed)
            return entries.map(\.name).filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
                .map { String($0.dropLast(suffix.utf8.count)) }.sorted { time($0) < time($1) }
        } catch {
            if error.errno == .notFound { return [] }
            throw JailError(.host, error, path: path)
        }
    }

    /// The files of a run, or of all runs of a name, the newest last.
    static func named(_ text: String) throws(JailError) -> [String] {
        let directory = try directory()
        let names = try names()
        let found =
            names.contains(text)
            ? [text] : names.filter { $0.hasPrefix(text + "-") && isTime($0.dropFirst(text.count + 1)) }
        return found.map { "\(directory)/\($0)\(suffix)" }
    }

    /// `20261130T041500Z`, and what tells runs of one second apart.
    private static func isTime(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return false }
        return (bytes[..<8] + bytes[9..<15]).allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func time(_ name: String) -> String {
        let parts = name.split(separator: "-")
        return parts.indices.reversed().first { isTime(parts[$0]) }.map { parts[$0...].joined(separator: "-") } ?? ""
    }

    /// It leads to rights, so nobody else may be able to write it.
    static func read(_ path: String) throws(JailError) -> LearnedRun {
        let file = try attempt(.host, path) { () throws(SystemError) in
            try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
        }
        let status = try attempt(.host, path) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular, [0, System.effectiveUserID].contains(status.uid), status.permissions & 0o022 == 0
        else {
            throw JailError(.host, path: path, reason: "it is no file that only you, or root, can have written")
        }
        let bytes = try attempt(.host, path) { () throws(SystemError) in
            try System.readAll(file.borrowed, limit: ObservationFile.sizeLimit)
        }
        return try ObservationFile.read(bytes, file: path)
    }
}

/// Times as records and logs have them.
enum AuditTimes {
    /// Milliseconds since the epoch.
    static func milliseconds(_ text: String) -> Int64? { try? AuditFilter.time(text, now: 0) }
}
