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
        var line = body(event, members, time)
        if line.count > Self.longestBody { line = body(event, JSON.cut(members), time) }
        line.append(UInt8(ascii: "}"))
        return seal(line)
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
        let signed = body(AuditEventName.checkpoint, members, time)
        let signature = try signing.sign(signed)
        key = following
        let line = seal(signed + ",\"signature\":\"\(signature)\"}".utf8)
        unsigned = 0
        return line
    }

    private func body(_ event: String, _ members: [(String, JSON)], _ time: AuditTime) -> [UInt8] {
        let head: [(String, JSON)] = [
            ("seq", .number(position.sequence + 1)), ("time", .string(AuditTime.text(time.wall))),
            ("mono", .number(time.monotonic)), ("event", .string(event)),
        ]
        var line = JSON.object(head + members).bytes()
        line.removeLast()
        line += ",\"prev\":\"\(position.digest)\"".utf8
        return line
    }

    private mutating func seal(_ line: [UInt8]) -> [UInt8] {
        var line = line
        position = AuditPosition(sequence: position.sequence + 1, digest: AuditDigest(of: line))
        unsigned += 1
        line.append(0x0A)
        return line
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
