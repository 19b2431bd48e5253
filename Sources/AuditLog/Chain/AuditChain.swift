package import JailCore

/// The records of one launch, each with the digest of the one before, and checkpoints with signatures. Pure: bytes come out.
///
/// The layout is fixed, so that what is hashed and signed are the bytes that stand in the file, and nothing has to be
/// brought into a canonical form:
///
/// ```
/// {"seq":N,"time":"…","mono":N,"event":"…", … ,"prev":"DIGEST OF THE LINE BEFORE"}
/// {"seq":N,"time":"…","mono":N,"event":"checkpoint","key":"…","next":"…","prev":"…","signature":"…"}
/// ```
///
/// A signature is over its own line up to the comma before it.
package struct AuditChain: Sendable {
    /// Of the last record.
    package private(set) var position: AuditPosition
    /// Names this launch in the log: 32 hexadecimal digits.
    package let launch: String
    /// What signs the next checkpoint; nil: the last one was written.
    private var key: AuditKey?
    /// Records since the last checkpoint.
    package private(set) var unsigned = 0

    /// Bytes of a line. What is longer has its texts cut.
    package static let longestLine = 64 << 10
    /// Without what closes it.
    private static let longestBody = longestLine - 1024

    /// - Parameter position: of the last record that is there already.
    package init(after position: AuditPosition, launch: String) throws(SystemError) {
        self.position = position
        self.launch = launch
        key = try AuditKey()
    }

    /// The public half of the key that signs the next checkpoint; nil: nothing more is signed.
    package var publicKey: String? { key?.publicText }

    /// One record, with its line feed.
    ///
    /// - Parameter members: without a key that the chain gives: `seq`, `time`, `mono`, `prev`, `signature`.
    package mutating func append(_ event: String, _ members: [(String, JSON)], at time: AuditTime) -> [UInt8] {
        var text = body(event, members, time)
        if text.utf8.count > Self.longestBody { text = body(event, JSON.cut(members), time) }
        return seal(text + "}")
    }

    /// Signs what was written so far, and changes the key.
    ///
    /// - Parameter isLast: no key comes after it: the launch has ended.
    /// - Throws: what keeps it from being signed; nothing was written then.
    package mutating func checkpoint(isLast: Bool, at time: AuditTime) throws(SystemError) -> [UInt8] {
        guard let signing = key else { return [] }
        let following = isLast ? nil : try AuditKey()
        let members: [(String, JSON)] = [
            ("key", .string(signing.publicText)), ("next", .optional(following?.publicText)),
        ]
        let text = body(AuditEventName.checkpoint, members, time)
        let signature = try signing.sign(Array(text.utf8))
        key = following
        let line = seal(text + ",\"signature\":\"\(signature)\"}")
        unsigned = 0
        return line
    }

    private func body(_ event: String, _ members: [(String, JSON)], _ time: AuditTime) -> String {
        let head: [(String, JSON)] = [
            ("seq", .number(position.sequence + 1)), ("time", .string(AuditTime.text(time.wall))),
            ("mono", .number(time.monotonic)), ("event", .string(event)),
        ]
        var text = JSON.object(head + members + [("prev", .string(position.digest.description))]).text()
        text.removeLast()
        return text
    }

    private mutating func seal(_ line: String) -> [UInt8] {
        var bytes = Array(line.utf8)
        position = AuditPosition(sequence: position.sequence + 1, digest: AuditDigest(of: bytes))
        unsigned += 1
        bytes.append(0x0A)
        return bytes
    }
}

/// A record's place: its number, and the digest of its line. What is kept elsewhere of a log so that its end can be told.
package struct AuditPosition: Hashable, Sendable {
    package var sequence: UInt64
    package var digest: AuditDigest

    package static let start = AuditPosition(sequence: 0, digest: .zero)

    package init(sequence: UInt64, digest: AuditDigest) {
        self.sequence = sequence
        self.digest = digest
    }

    /// `SEQ:DIGEST`.
    package var text: String { "\(sequence):\(digest)" }

    package init?(text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = UInt64(parts[0]), let digest = AuditDigest(hex: parts[1]) else {
            return nil
        }
        self.init(sequence: sequence, digest: digest)
    }
}

/// Events that the log itself writes; the others are the supervisor's.
package enum AuditEventName {
    /// The first record of each file.
    package static let segment = "segment"
    package static let checkpoint = "checkpoint"
}
