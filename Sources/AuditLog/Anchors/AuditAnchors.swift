internal import JailCore
package import JailPlan
internal import JailPolicy

/// Keeps heads of logs where whoever owns the log cannot change them: in the journal, and, started by root, in a file that can
/// only be added to.
package final class AuditAnchors {
    private let journal: JournalSocket?
    private let file: SharedDescriptor?
    /// What could not be had or was lost, told once each.
    private var notes: [String] = []
    private var hasFailed: Set<String> = []

    /// While there are rights to make a file append-only with. What is missing here is told, and ends nothing: a log without
    /// an anchor is still one.
    package init(_ plan: AuditPlan) {
        journal = plan.rules.journal ? JournalSocket(identifier: "clawjail-audit", facility: .authorization) : nil
        guard let path = plan.headFile else {
            file = nil
            return
        }
        do throws(SystemError) {
            try PrivateDirectory.make(path.parentPath)
            file = SharedDescriptor(
                try System.open(path, [.writeOnly, .create, .append, .noFollow, .nonBlocking], mode: 0o600))
        } catch {
            file = nil
            fail(path, error)
        }
        // Not every file system has such a thing: the heads in the journal are the better ones then.
        if let file { try? System.makeAppendOnly(file.borrowed) }
    }

    package func keep(_ head: AuditHead) {
        if let journal {
            do throws(SystemError) {
                let fields = [("CLAWJAIL_JAIL", head.jail), ("CLAWJAIL_HEAD", head.position.text)]
                try journal.send(head.text, priority: 5, fields: fields)
            } catch {
                // A host without either is not one that has lost something.
                if error.errno != .notFound { fail("the journal", error) }
            }
        }
        if let file {
            let line = "\(AuditTime.text(System.realtimeMilliseconds())) \(head.text)\n"
            do throws(SystemError) { try System.writeAll(file.borrowed, line) } catch {
                fail("the file of heads", error)
            }
        }
    }

    private func fail(_ place: String, _ error: SystemError) {
        guard hasFailed.insert(place).inserted else { return }
        notes.append("audit: \(place) does not take the log's heads: \(error.call.name): \(error.errno)")
    }

    package func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }
}
