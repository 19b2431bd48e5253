internal import AuditLog
package import JailCore

/// What a detached jail prints, in a file that it cannot reach: it writes to a pipe, and the supervisor to the file.
///
/// What looks like a secret is not written, see ``Redactor``: a line is, once it has ended.
///
/// At ``capacity`` the file is put aside as `.1`, over the one before; so the two never take more than twice that.
package final class OutputLog {
    package static let capacity = 16 << 20

    package struct Place {
        let directory: String
        let name: String
        /// What else is never written, see ``AuditRules/redact``.
        let secrets: [String]

        package init(directory: String, name: String, secrets: [String] = []) {
            self.directory = directory
            self.name = name
            self.secrets = secrets
        }

        fileprivate var path: String { "\(directory)/\(name).log" }

        /// A line of clawjail's own, while no supervisor has the log open.
        package func note(_ text: String) throws(SystemError) {
            let file = try OutputLog.open(path)
            try System.writeAll(file.borrowed, Redactor(patterns: secrets).redact(text) + "\n")
        }
    }

    private let path: String
    private var file: OwnedDescriptor
    private var size: Int
    /// What is written to standard output, and to standard error if that has a pipe of its own.
    private var pipe: SharedDescriptor?
    private var errorPipe: SharedDescriptor?
    private let redactor: Redactor
    private var lines: LineRedactor
    private var errorLines: LineRedactor
    /// Bytes that came on standard error since the last time.
    private var errorBytes = 0
    /// Looks through what is written, for canaries: standard output (or both), and standard error.
    var looks: (output: Relay.Look, error: Relay.Look)?

    /// Opens the log, and puts the writing end of a pipe in the place of standard output and standard error.
    ///
    /// - Parameters:
    ///   - separatesErrors: a pipe for each, so that what comes on standard error can be counted. What is written to both in
    ///     the same moment may then stand in another order.
    package init(_ place: Place, separatesErrors: Bool = false) throws(JailError) {
        let path = place.path
        self.path = path
        redactor = Redactor(patterns: place.secrets)
        lines = LineRedactor(redactor)
        errorLines = LineRedactor(redactor)
        do {
            try PrivateDirectory.make(place.directory)
            file = try Self.open(path)
            size = Int(clamping: try System.status(of: file.borrowed).size)
            let ends = try System.pipe()
            try System.duplicate(ends.writeEnd.borrowed, to: 1, closeOnExec: false)
            try System.duplicate(ends.writeEnd.borrowed, to: 2, closeOnExec: false)
            try System.setNonBlocking(ends.readEnd.borrowed)
            pipe = SharedDescriptor(ends.takeReadEnd())
            if separatesErrors { errorPipe = try Self.makeErrorPipe() }
        } catch {
            throw JailError(.runtime, error, path: path)
        }
    }

    private static func makeErrorPipe() throws(SystemError) -> SharedDescriptor {
        let ends = try System.pipe()
        try System.duplicate(ends.writeEnd.borrowed, to: 2, closeOnExec: false)
        try System.setNonBlocking(ends.readEnd.borrowed)
        return SharedDescriptor(ends.takeReadEnd())
    }

    /// Removes the log of a jail that is gone, and the one put aside.
    package static func remove(directory: String, name: String) throws(JailError) {
        for path in ["\(directory)/\(name).log", "\(directory)/\(name).log.1"] {
            do throws(SystemError) { try System.unlink(path) } catch {
                guard error.errno == .notFound else { throw JailError(.runtime, error, path: path) }
            }
        }
    }

    fileprivate static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
        try System.open(path, [.writeOnly, .create, .append, .noFollow], mode: 0o600)
    }

    /// After the clone: the supervisor lets go of its own ends, so that the pipe ends with the jail.
    func releaseWriter() throws(SystemError) {
        let null = try System.open("/dev/null", .readWrite)
        try System.duplicate(null.borrowed, to: 1, closeOnExec: false)
        try System.duplicate(null.borrowed, to: 2, closeOnExec: false)
    }

    var pollEntries: [System.PollEntry] {
        [pipe, errorPipe].compactMap { $0.map { System.PollEntry($0.borrowed, System.PollEvents.readable) } }
    }

    func handle(_ ready: System.PollResult) {
        if pollEntries.contains(where: { ready[$0.descriptor] != nil }) { drain() }
    }

    /// Takes what there is; once a pipe has ended it is not polled any more.
    ///
    /// - Returns: how much it was.
    @discardableResult
    func drain() -> Int {
        let bytes = Self.read(&pipe)
        if !bytes.isEmpty { _ = looks?.output(bytes[...]) }
        append(lines.take(bytes))
        if pipe == nil { append(lines.flush()) }
        let errors = Self.read(&errorPipe)
        if !errors.isEmpty { _ = looks?.error(errors[...]) }
        errorBytes += errors.count
        append(errorLines.take(errors))
        if errorPipe == nil { append(errorLines.flush()) }
        return bytes.count + errors.count
    }

    /// The jail has ended: what is left, also of a line that has no end.
    func finish() {
        while drain() > 0 {}
        append(lines.flush())
        append(errorLines.flush())
    }

    /// Empty: there is nothing now, or, with the pipe gone, never again.
    private static func read(_ pipe: inout SharedDescriptor?) -> [UInt8] {
        guard let source = pipe else { return [] }
        do {
            let bytes = try System.read(source.borrowed, most: 65536)
            if bytes.isEmpty { pipe = nil }
            return bytes
        } catch  where error.errno == .wouldBlock {
        } catch {
            pipe = nil
        }
        return []
    }

    /// Bytes that were written to standard error since the last time, where that has a pipe of its own.
    func takeErrorBytes() -> Int {
        defer { errorBytes = 0 }
        return errorBytes
    }

    /// A line of the supervisor's own.
    package func note(_ text: String) { append(Array((redactor.redact(text) + "\n").utf8)) }

    private func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        // A full disk costs the log, not the jail.
        if size + bytes.count > Self.capacity, (try? System.rename(path, to: path + ".1")) != nil,
            let next = try? Self.open(path)
        {
            file = next
            size = 0
        }
        if (try? System.writeAll(file.borrowed, bytes)) != nil { size += bytes.count }
    }
}
