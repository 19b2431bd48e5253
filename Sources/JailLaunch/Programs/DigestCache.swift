internal import AuditLog
internal import JailCore

/// Digests of programs that were read for earlier launches, in a file below clawjail's state directory: whoever can write it
/// can write the logs as well.
///
/// A file is the same as long as its device, inode, size and the time of its last change are: that time the kernel sets
/// with every change of content, and nobody can set it back. What is wrong with the file is no error: programs are
/// read again then.
struct DigestCache {
    struct Key: Hashable {
        let text: String

        init(_ status: FileStatus) {
            text =
                "\(status.identity.device) \(status.identity.inode) \(status.size) \(status.changed)"
                + " \(status.changedAt.nanoseconds)"
        }

        fileprivate init(text: some StringProtocol) { self.text = String(text) }
    }

    private let path: String

    private static let most = 64
    private static let sizeLimit = 64 << 10
    /// Seconds after its last change in which a file could be changed once more at what the kernel calls the same time.
    private static let settled: Int64 = 2

    init(_ path: String) { self.path = path }

    /// Nothing where it is not what this user, and nobody else, could have written.
    func read() -> [Key: AuditDigest] {
        var result: [Key: AuditDigest] = [:]
        for line in lines() {
            guard let space = line.lastIndex(of: " "), let digest = AuditDigest(hex: line[line.index(after: space)...])
            else { continue }
            result[Key(text: line[..<space])] = digest
        }
        return result
    }

    private func lines() -> [Substring] {
        guard let file = try? System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal]),
            let status = try? System.status(of: file.borrowed), status.kind == .regular,
            status.uid == System.effectiveUserID, status.permissions & 0o077 == 0,
            let bytes = try? System.readAll(file.borrowed, limit: Self.sizeLimit)
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// The newest come last, and the oldest go. Of two launches that write at once one is read again the next time.
    func keep(_ digest: AuditDigest, of status: FileStatus) {
        guard System.realtimeMilliseconds() / 1000 - status.changed > Self.settled else { return }
        let key = Key(status).text + " "
        let kept = lines().filter { !$0.hasPrefix(key) }.suffix(Self.most - 1)
        let text = (kept + ["\(key)\(digest)"]).joined(separator: "\n") + "\n"
        let next = "\(path).\(System.processID)"
        do throws(SystemError) {
            do throws(SystemError) { try System.unlink(next) } catch {
                guard error.errno == .notFound else { throw error }
            }
            let file = try System.open(next, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try System.writeAll(file.borrowed, text)
            try System.rename(next, to: path)
        } catch { try? System.unlink(next) }
    }
}
