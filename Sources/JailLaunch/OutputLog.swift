package import JailCore

/// What a detached jail prints, in a file that it cannot reach: it writes to a pipe, and the supervisor to the file.
///
/// At ``capacity`` the file is put aside as `.1`, over the one before; so the two never take more than twice that.
package final class OutputLog {
    package static let capacity = 16 << 20

    private let path: String
    private var file: OwnedDescriptor
    private var size: Int
    /// What is written to standard output, and to standard error if that has a pipe of its own.
    private var pipe: SharedDescriptor?
    private var errorPipe: SharedDescriptor?
    /// Bytes that came on standard error since the last time.
    private var errorBytes = 0

    /// Opens the log, and puts the writing end of a pipe in the place of standard output and standard error.
    ///
    /// - Parameter separatesErrors: a pipe for each, so that what comes on standard error can be counted. What is written to
    ///   both in the same moment may then stand in another order.
    package init(directory: String, name: String, separatesErrors: Bool = false) throws(JailError) {
        let path = "\(directory)/\(name).log"
        self.path = path
        do {
            try PrivateDirectory.make(directory)
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

    private static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
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
    func drain() {
        _ = Self.read(&pipe, append)
        errorBytes += Self.read(&errorPipe, append)
    }

    private static func read(_ pipe: inout SharedDescriptor?, _ take: ([UInt8]) -> Void) -> Int {
        guard let source = pipe else { return 0 }
        do {
            let bytes = try System.read(source.borrowed, most: 65536)
            if bytes.isEmpty { pipe = nil } else { take(bytes) }
            return bytes.count
        } catch  where error.errno == .wouldBlock {
        } catch {
            pipe = nil
        }
        return 0
    }

    /// Bytes that were written to standard error since the last time, where that has a pipe of its own.
    func takeErrorBytes() -> Int {
        defer { errorBytes = 0 }
        return errorBytes
    }

    /// A line of the supervisor's own.
    package func note(_ text: String) { append(Array((text + "\n").utf8)) }

    private func append(_ bytes: [UInt8]) {
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
