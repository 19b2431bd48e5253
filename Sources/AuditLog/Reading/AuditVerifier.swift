internal import JailPolicy

/// Reads a log from its first file to its last, and says what in it is not as it was written.
///
/// What it can find by itself: every change that does not also redo the chain up to the next signature. Whoever can write
/// the files, and has neither the keys nor the heads that were kept elsewhere, can at most remove an unsigned end, or
/// replace everything with a log of their own making: both contradict a head, see ``AuditReport/anchored``.
package struct AuditVerifier: Sendable {
    package private(set) var report = AuditReport()
    /// Of records that heads speak of, and of those that came twice.
    private var digests: [UInt64: AuditDigest] = [:]
    private var position: AuditPosition?
    private var segment: UInt64?
    private var launch: Launch?
    /// Bytes after the last line feed of the file before.
    private var torn: (bytes: Int, digest: AuditDigest)?

    private struct Launch {
        var name: String
        /// nil: it was closed, or what it said of its keys made no sense.
        var key: [UInt8]?
        var isClosed = false
        var unsigned = 0
    }

    package init() {}

    /// The next file.
    package mutating func take(segment number: UInt64, _ content: [UInt8]) {
        report.segments += 1
        if let segment, number != segment + 1 {
            add(.missingSegment, number, 0, nil, "segments \(segment + 1) to \(number - 1) are missing")
        }
        segment = number
        var line = 0
        var start = content.startIndex
        while let end = content[start...].firstIndex(of: 0x0A) {
            line += 1
            take(content[start..<end], number, line)
            start = end + 1
        }
        let rest = content[start...]
        if line == 0 { add(.torn, number, 0, nil, "it has no whole record") }
        // A file with nothing in it is one whose writer came no further, and had seen what was torn before.
        if line > 0 || !rest.isEmpty { torn = rest.isEmpty ? nil : (rest.count, AuditDigest(of: rest)) }
        if !rest.isEmpty {
            add(
                .torn, number, line + 1, nil,
                "a torn tail of \(rest.count) bytes: the record was not written to its end")
        }
    }

    /// A file that cannot be read.
    package mutating func fail(segment number: UInt64, _ reason: String) {
        report.segments += 1
        segment = number
        add(.unreadable, number, 0, nil, reason)
    }

    /// The end, and what was kept elsewhere of this log.
    package mutating func finish(heads: [AuditPosition] = []) -> AuditReport {
        endLaunch(segment ?? 0)
        report.last = position ?? .start
        for head in heads.sorted(by: { $0.sequence < $1.sequence }) { check(head) }
        return report
    }

    private mutating func check(_ head: AuditPosition) {
        guard let digest = digests[head.sequence] else {
            // Older than what is kept.
            if let first = digests.keys.min(), head.sequence < first { return }
            return add(
                .cutOff, segment ?? 0, 0, head.sequence,
                "a head that was kept elsewhere says that record \(head.sequence) was written; the log ends with "
                    + "\(report.last.sequence), or has lost it")
        }
        guard digest == head.digest else {
            return add(
                .replaced, segment ?? 0, 0, head.sequence,
                "a head that was kept elsewhere says that record \(head.sequence) was another one")
        }
        report.headsConfirmed += 1
        report.anchored = max(report.anchored, head.sequence)
    }

    // MARK: Records

    private mutating func take(_ bytes: ArraySlice<UInt8>, _ number: UInt64, _ lineNumber: Int) {
        guard let line = AuditLine(bytes) else {
            return add(.malformed, number, lineNumber, nil, "this is no record")
        }
        if lineNumber == 1 {
            begin(line, number)
        } else if line.event == AuditEventName.segment {
            add(.malformed, number, lineNumber, line.sequence, "a segment begins in the middle of a file")
        }
        link(line, number, lineNumber)
        report.records += 1
        launch?.unsigned += 1
        if launch?.isClosed == true {
            add(
                .foreignKey, number, lineNumber, line.sequence, "it was written after the last checkpoint of its launch"
            )
        }
        if line.event == AuditEventName.checkpoint { checkpoint(line, number, lineNumber) }
    }

    private mutating func link(_ line: AuditLine, _ number: UInt64, _ lineNumber: Int) {
        let digest = line.digest
        defer {
            digests[line.sequence] = digests[line.sequence] ?? digest
            position = AuditPosition(sequence: line.sequence, digest: digest)
        }
        guard let before = position else {
            guard line.sequence == 1, line.previous == .zero else {
                return add(
                    .beheaded, number, lineNumber, line.sequence,
                    "the log begins here; \(line.sequence - 1) older records are not kept")
            }
            return
        }
        if line.sequence > before.sequence + 1 {
            add(
                .dropped, number, lineNumber, line.sequence,
                "records \(before.sequence + 1) to \(line.sequence - 1) are missing")
        } else if line.sequence <= before.sequence {
            let isTwin = digests[line.sequence] == digest
            add(
                isTwin ? .duplicated : .reordered, number, lineNumber, line.sequence,
                isTwin ? "it was there already" : "it stands after record \(before.sequence)")
        } else if line.previous != before.digest {
            add(
                .changed, number, lineNumber, line.sequence,
                "record \(before.sequence) is not the one that this one was written after: one of the two was changed")
        }
    }

    private mutating func checkpoint(_ line: AuditLine, _ number: UInt64, _ lineNumber: Int) {
        report.checkpoints += 1
        guard let value = line.value, let key = value.hexadecimal("key"), let signature = line.signature else {
            return add(.malformed, number, lineNumber, line.sequence, "this is no checkpoint")
        }
        guard let launch, let expected = launch.key, key == expected else {
            launch?.key = nil
            return add(
                .foreignKey, number, lineNumber, line.sequence,
                "it was signed with another key than the one before named")
        }
        guard AuditKey.isValid(signature, of: line.body, by: key) else {
            return add(.badSignature, number, lineNumber, line.sequence, "its signature is of something else")
        }
        let next = value.hexadecimal("next")
        self.launch?.key = next
        self.launch?.isClosed = next == nil
        self.launch?.unsigned = 0
        report.signed = line.sequence
    }

    // MARK: Launches

    /// The first record of a file says whether the same launch goes on, or another one begins.
    private mutating func begin(_ line: AuditLine, _ number: UInt64) {
        guard line.event == AuditEventName.segment, let value = line.value, let name = value["launch"]?.text,
            let key = value.hexadecimal("key"), value["segment"]?.integer == Int64(clamping: number)
        else {
            return add(
                .malformed, number, 1, line.sequence, "a file begins with its 'segment' record, and this is none")
        }
        if name == launch?.name {
            if launch?.key != key {
                add(
                    .foreignKey, number, 1, line.sequence,
                    "it goes on with another key than the checkpoint before named")
                launch?.key = nil
            }
            return
        }
        endLaunch(number)
        report.launches += 1
        launch = Launch(name: name, key: key)
        follow(value["follows"], line, number)
    }

    /// What a launch has found when it began is what is there.
    private mutating func follow(_ follows: JSON5Value?, _ line: AuditLine, _ number: UInt64) {
        guard let before = position else { return }
        guard line.sequence != 1 else {
            return add(
                .restarted, number, 1, line.sequence, "a chain of its own begins here, though there are older records")
        }
        if let torn, let size = follows?["torn"]?.integer,
            size != torn.bytes || torn.digest.description != follows?["tornDigest"]?.text
        {
            add(.changed, number, 1, line.sequence, "the torn tail before it is not the one that it found")
        } else if torn == nil, follows?["torn"]?.integer != nil {
            add(.changed, number, 1, line.sequence, "it found a torn tail that is not there")
        } else if torn != nil, follows?["torn"]?.integer == nil {
            add(.changed, number, 1, line.sequence, "it found no torn tail where there is one")
        }
        if let found = follows?["record"]?.text.flatMap({ AuditPosition(text: $0) }), found != before {
            // The link says it as well, unless both records are gone.
            if found.sequence > before.sequence {
                add(.dropped, number, 1, line.sequence, "it found record \(found.sequence) before it")
            }
        }
    }

    private mutating func endLaunch(_ number: UInt64) {
        guard let launch, !launch.isClosed else { return }
        add(.unclosed, number, 0, position?.sequence, "launch \(launch.name) ended without a last checkpoint")
        if launch.unsigned > 0 {
            add(
                .unsigned, number, 0, position?.sequence,
                "the last \(launch.unsigned) records of launch \(launch.name) are chained, and not signed")
        }
        self.launch = nil
    }

    private mutating func add(
        _ kind: AuditFinding.Kind, _ segment: UInt64, _ line: Int, _ sequence: UInt64?, _ text: String
    ) {
        report.findings.append(AuditFinding(kind: kind, segment: segment, line: line, sequence: sequence, text: text))
    }
}

extension JSON5Value {
    fileprivate func hexadecimal(_ key: String) -> [UInt8]? { self[key]?.text.flatMap { Hexadecimal.bytes($0) } }
}
