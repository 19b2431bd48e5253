internal import JailCore

/// What came of verifying a jail, for its supervisor to have recorded.
package struct VerificationRecord: Equatable, Sendable {
    package var held: UInt32
    package var notHeld: UInt32
    package var notTried: UInt32
    /// SHA-256 of the result as JSON, in hexadecimal digits.
    package var digest: String
    /// Ids of the checks that did not hold, up to ``mostFailed``.
    package var failed: [String]

    package static let mostFailed = 64

    package init?(held: UInt32, notHeld: UInt32, notTried: UInt32, digest: String, failed: [String]) {
        guard digest.utf8.count == 64,
            digest.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            failed.count <= Self.mostFailed, failed.allSatisfy(Self.isID)
        else { return nil }
        self.held = held
        self.notHeld = notHeld
        self.notTried = notTried
        self.digest = digest
        self.failed = failed
    }

    /// As `CheckList` names them.
    private static func isID(_ text: String) -> Bool {
        (1...80).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes), fields.word == "verified",
            let held = fields.take("held").flatMap({ UInt32($0) }),
            let notHeld = fields.take("notHeld").flatMap({ UInt32($0) }),
            let notTried = fields.take("notTried").flatMap({ UInt32($0) })
        else { return nil }
        let digest = fields.take("digest") ?? ""
        let failed = fields.takeAll("failed")
        guard fields.isEmpty else { return nil }
        self.init(held: held, notHeld: notHeld, notTried: notTried, digest: digest, failed: failed)
    }

    var bytes: [UInt8] {
        var fields = SessionFields("verified")
        fields.add("held", "\(held)")
        fields.add("notHeld", "\(notHeld)")
        fields.add("notTried", "\(notTried)")
        fields.add("digest", digest)
        fields.add("failed", failed)
        return fields.bytes ?? []
    }

    /// - Parameter peer: who says so, as the kernel knows it.
    func event(by peer: PeerCredentials?) -> JSON {
        [
            "event": "verified", "held": .number(held), "notHeld": .number(notHeld), "notTried": .number(notTried),
            "failed": .strings(failed), "sha256": .string(digest), "uid": peer.map { .number($0.uid) } ?? .null,
            "pid": peer.map { .number($0.pid) } ?? .null,
        ]
    }
}

/// What a verifier has found out about this jail is recorded, and it hears when it has been.
extension JailWatch {
    func take(_ record: VerificationRecord, _ caller: SharedDescriptor) {
        verifications.append((record, caller))
    }

    func tellVerifications(_ reporter: inout some LaunchReporter) {
        guard !verifications.isEmpty else { return }
        let told = verifications
        verifications = []
        for (record, caller) in told {
            emit(record.event(by: try? System.peer(of: caller.borrowed)), &reporter)
            // In the log before anybody is told that it is.
            guard [.writing, .recovered].contains(audit.work()) else {
                refuse(caller, ExitStatus.launchFailed, "verify: the log of the jail cannot be written")
                continue
            }
            withExtendedLifetime(caller) { try? System.send(caller.borrowed, ControlReply.done.bytes) }
        }
    }
}
