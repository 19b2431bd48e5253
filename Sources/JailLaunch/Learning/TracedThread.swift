internal import JailCore
internal import JailLearning

/// A thread inside, as a tracer knows it.
final class TracedThread {
    let id: Int32
    /// The program that it executes, as a path inside; nil: init's own code, and not to be judged.
    var program: String?
    /// It is one of several of a process.
    var isThread = false
    /// Which call it is in.
    var call: System.TracedCall?
    var search = ProgramSearch()

    /// connect(2) on sockets that do not wait, by their descriptors.
    private var connecting: [UInt64: FailedCall] = [:]
    private static let mostConnecting = 256

    init(_ id: Int32, program: String?) {
        self.id = id
        self.program = program
    }

    /// The file that a process executes, as the kernel names it; nil: init's, which nobody may look at, or none.
    static func program(of id: Int32, besides own: String) -> String? {
        guard let path = try? System.readLink("/proc/\(id)/exe"), path != own else { return nil }
        return path
    }
}

extension TracedThread {
    func begin(connecting call: FailedCall) {
        if connecting.count >= Self.mostConnecting { connecting = [:] }
        connecting[call.arguments[0]] = call
    }

    /// What getsockopt(2) with SOL_SOCKET and SO_ERROR said of a connection: as connect(2) would have, had it waited.
    func connectFailure(_ arguments: [UInt64]) -> FailedCall? {
        guard arguments[1] == 1, arguments[2] == 4, var call = connecting.removeValue(forKey: arguments[0]) else {
            return nil
        }
        let value = bytes(arguments[3], 4)
        guard value.count == 4, value[1...].allSatisfy({ $0 == 0 }), value[0] != 0 else { return nil }
        call.errno = Int32(value[0])
        return call
    }
}

/// What a thread's arguments point to. It stands still, but others of its process do not, and may write there: see
/// ``CallSurroundings``.
extension TracedThread: CallSurroundings {
    /// Bytes of a path: PATH_MAX.
    private static let longestText = 4096

    func text(_ address: UInt64) -> String? {
        System.tracedText(id, at: address, limit: Self.longestText).map { String(decoding: $0, as: UTF8.self) }
    }

    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { System.tracedBytes(id, at: address, most: count) }

    /// A file in a mount namespace that is not ours has a path up to the root of that namespace.
    func path(ofDescriptor descriptor: Int32?) -> String? {
        try? System.readLink(descriptor.map { "/proc/\(id)/fd/\($0)" } ?? "/proc/\(id)/cwd")
    }

    /// Looked up on the host by its name alone, and not opened.
    func onHost(_ path: String) -> HostEntry {
        guard let status = try? System.status(path, followSymlink: true) else { return .nothing }
        return status.kind == .regular && status.permissions & 0o111 != 0 ? .program : .something
    }
}
