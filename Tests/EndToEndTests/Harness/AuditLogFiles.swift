import Foundation
import Glibc
import Testing

/// The log of a jail, as a test finds it on disk.
struct AuditLogFiles {
    let jail: Jail

    var directory: String { "\(jail.stateDirectory)/audit/\(jail.name)" }

    func remove() {
        try? FileManager.default.removeItem(atPath: directory)
        for suffix in [".log", ".log.1"] { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name)\(suffix)") }
    }

    /// Bytes; each launch has one of its own, unless that is full.
    func size(ofFile number: Int) -> Int {
        var status = stat()
        let path = directory + "/" + String(repeating: "0", count: 8 - String(number).count) + "\(number).jsonl"
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// File after file; what has no end is left out.
    func records() throws -> [[String: Any]] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted().flatMap { name in
            let content = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
            return try content.prefix((content.lastIndex(of: 0x0A) ?? -1) + 1).split(separator: 0x0A).compactMap {
                try JSONSerialization.jsonObject(with: $0) as? [String: Any]
            }
        }
    }

    /// What `clawjail audit verify` says of it.
    func report() throws -> AuditFindings {
        let finished = try jail.start(words: ["audit", "verify", jail.name, "--json"]).wait(30)
        let object = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
        return AuditFindings(try #require(object, "\(finished.errors)"), status: finished.status)
    }
}

struct AuditFindings: CustomStringConvertible {
    let status: Int32
    let isIntact: Bool
    let records: Int
    let launches: Int
    let signed: Int
    let kinds: [String]
    let description: String

    init(_ object: [String: Any], status: Int32) {
        self.status = status
        isIntact = object["intact"] as? Bool ?? false
        records = object["records"] as? Int ?? -1
        launches = object["launches"] as? Int ?? -1
        signed = object["signed"] as? Int ?? -1
        kinds = (object["findings"] as? [[String: Any]])?.compactMap { $0["kind"] as? String } ?? []
        description = "\(object)"
    }
}
