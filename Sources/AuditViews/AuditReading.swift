package import AuditLog
package import JailCore

/// Reads logs from the disk, while they may be written to.
package enum AuditReading {
    /// Calls `body` with every whole record of a log, in the order in which they stand there.
    package static func entries(
        of log: AuditLogs.Log, from first: UInt64 = 0, _ body: (AuditEntry) throws(JailError) -> Void
    ) throws(JailError) {
        let numbers = try attempt(.audit, log.directory.path) { () throws(SystemError) in try log.directory.segments() }
        for number in numbers where number >= first {
            let content = try attempt(.audit, log.directory.file(number)) { () throws(SystemError) in
                try log.directory.read(number)
            }
            for line in content.split(separator: 0x0A) {
                guard let record = AuditLine(line), let entry = AuditEntry(jail: log.jail, record) else { continue }
                try body(entry)
            }
        }
    }

    /// Verifies a log as a whole, as it is on the disk.
    package static func verify(_ log: AuditLogs.Log, heads: [AuditPosition]) throws(JailError) -> AuditReport {
        var verifier = AuditVerifier()
        let numbers = try attempt(.audit, log.directory.path) { () throws(SystemError) in try log.directory.segments() }
        for number in numbers {
            do throws(SystemError) { verifier.take(segment: number, try log.directory.read(number)) } catch {
                verifier.fail(segment: number, "\(error.call.name): \(error.errno)")
            }
        }
        return verifier.finish(heads: heads)
    }
}
