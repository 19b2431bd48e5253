internal import JailCore

/// Why a jail is to be stopped where it is, for its supervisor.
package struct LockdownOrder: Equatable, Sendable {
    /// Bytes of a reason.
    package static let longestReason = 1024

    package let reason: String
    /// Who says so, as they say themselves. The kernel says who they are to the supervisor.
    package let who: String

    /// - Returns: nil unless there is a reason, of one line.
    package init?(reason: String, who: String) {
        guard !reason.isEmpty, reason.utf8.count <= Self.longestReason, who.utf8.count <= Self.longestReason else {
            return nil
        }
        for text in [reason, who] where text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return nil }
        self.reason = reason
        self.who = who
    }

    init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes), fields.word == "lockdown" else { return nil }
        let reason = fields.take("reason") ?? ""
        let who = fields.take("who") ?? ""
        guard fields.isEmpty else { return nil }
        self.init(reason: reason, who: who)
    }

    var bytes: [UInt8] {
        var fields = SessionFields("lockdown")
        fields.add("reason", reason)
        fields.add("who", who)
        return fields.bytes ?? []
    }
}

/// Where the evidence of a locked-down jail is, for its supervisor to have recorded.
package struct LockdownSeal: Equatable, Sendable {
    package let archive: String
    /// SHA-256 of the archive, in hexadecimal digits.
    package let digest: String

    package init?(archive: String, digest: String) {
        guard archive.utf8.first == 0x2F, archive.utf8.count <= 4096, digest.utf8.count == 64,
            digest.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.archive = archive
        self.digest = digest
    }

    init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes), fields.word == "seal" else { return nil }
        let archive = fields.take("archive") ?? ""
        let digest = fields.take("digest") ?? ""
        guard fields.isEmpty else { return nil }
        self.init(archive: archive, digest: digest)
    }

    var bytes: [UInt8] {
        var fields = SessionFields("seal")
        fields.add("archive", archive)
        fields.add("digest", digest)
        return fields.bytes ?? []
    }
}
