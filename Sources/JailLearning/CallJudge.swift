package import JailPolicy

/// What can be asked about a thread that stands at the end of a system call.
///
/// What it answers was written by a program in a jail, and may be changed by another of its threads at any moment. Nothing is
/// granted by it: a race costs a wrong line in a record, and no more.
package protocol CallSurroundings {
    /// A text in its memory; nil: it is not there, or too long.
    func text(_ address: UInt64) -> String?
    func bytes(_ address: UInt64, _ count: Int) -> [UInt8]
    /// What a descriptor of its leads to, as a path inside; of nil, the working directory.
    func path(ofDescriptor descriptor: Int32?) -> String?
    /// What the host has by the same name as a path inside.
    func onHost(_ path: String) -> HostEntry
}

package enum HostEntry: Sendable {
    /// Or nobody may see it.
    case nothing
    case something
    /// A regular file that may be executed.
    case program
}

/// A system call that came to nothing.
package struct FailedCall: Sendable {
    package var name: String
    /// Six.
    package var arguments: [UInt64]
    package var errno: Int32

    package init(_ name: String, _ arguments: [UInt64], errno: Int32) {
        self.name = name
        self.arguments = arguments
        self.errno = errno
    }
}

/// Which failures of system calls are answers of a jail's walls and limits, and about what. Pure.
package struct CallJudge: Sendable {
    /// A file system whose size is limited.
    package struct Sized: Sendable {
        package var path: String
        /// As ``Observation/Subject/limit(name:value:)`` names it.
        package var name: String
        package var value: String

        package init(path: String, name: String, value: String) {
            self.path = path
            self.name = name
            self.value = value
        }
    }

    private let refused: Set<String>
    private let sized: [Sized]
    /// By name.
    private let limits: [String: String]

    /// - Parameters:
    ///   - refused: calls that get EPERM whatever they are about.
    ///   - limits: by the name of the limit, its value as people write it.
    package init(refused: [String], sized: [Sized], limits: [String: String]) {
        self.refused = Set(refused)
        // The longest first: it is the one that a path lies in.
        self.sized = sized.sorted { $0.path.utf8.count > $1.path.utf8.count }
        self.limits = limits
    }

    /// nil: it has nothing to do with the jail, such as a file that is nowhere.
    package func subject(_ call: FailedCall, _ thread: some CallSurroundings) -> Observation.Subject? {
        guard let error = Failure(rawValue: call.errno) else { return nil }
        let shape = CallShape.of(call.name)
        switch error {
        case .noCall:
            return CallShape.alwaysRefused.contains(call.name) ? nil : .systemCall(call.name)
        case .notPermitted where refused.contains(call.name) || CallShape.refusable.contains(call.name),
            .noFamily where call.name == "socket":
            return .systemCall(call.name)
        case .tooManyFiles: return limit("openFiles")
        case .tooLarge: return limit("fileSize")
        case .again where shape == .process: return limit("processes")
        case .noMemory where shape == .process || shape == .memory: return limit("memory")
        case .noSpace, .quota: return fullFileSystem(call, shape, thread)
        default: return about(call, error, shape, thread)
        }
    }

    private func about(
        _ call: FailedCall, _ error: Failure, _ shape: CallShape, _ thread: some CallSurroundings
    ) -> Observation.Subject? {
        switch shape {
        case .path(let directory, let path, let use):
            guard [.notFound, .noAccess, .readOnly, .notPermitted].contains(error),
                let name = self.path(call, directory, path, thread)
            else { return nil }
            let access = Self.access(call.arguments, use)
            return error == .notFound ? missing(name, access, use, thread) : .file(path: name, access: access)
        case .address(let binds):
            return SocketAddress(
                thread.bytes(call.arguments[1], min(Int(clamping: call.arguments[2]), SocketAddress.mostBytes))
            ).flatMap { subject($0, binds, error, thread) }
        case .descriptor, .process, .memory, .plain: return nil
        }
    }

    private func limit(_ name: String) -> Observation.Subject? { limits[name].map { .limit(name: name, value: $0) } }

    private func fullFileSystem(
        _ call: FailedCall, _ shape: CallShape, _ thread: some CallSurroundings
    ) -> Observation.Subject? {
        let path: String?
        switch shape {
        case .path(let directory, let index, _): path = self.path(call, directory, index, thread)
        case .descriptor(let index): path = thread.path(ofDescriptor: Int32(truncatingIfNeeded: call.arguments[index]))
        default: path = nil
        }
        guard let path, let place = sized.first(where: { path.isInside($0.path) }) else { return nil }
        return .limit(name: place.name, value: place.value)
    }

    // MARK: Files

    /// AT_FDCWD
    private static let workingDirectory: Int32 = -100

    /// The file that a call is about, as a path inside; nil: it is about none.
    package func path(_ call: FailedCall, _ thread: some CallSurroundings) -> String? {
        guard case .path(let directory, let index, _) = CallShape.of(call.name) else { return nil }
        return path(call, directory, index, thread)
    }

    /// What a call that opens a file wants of it.
    package static func access(_ name: String, _ arguments: [UInt64]) -> FileAccess {
        guard case .path(_, _, let use) = CallShape.of(name) else { return .read }
        return access(arguments, use)
    }

    private func path(
        _ call: FailedCall, _ directory: Int?, _ index: Int, _ thread: some CallSurroundings
    ) -> String? {
        // An empty one means the descriptor itself.
        guard let text = thread.text(call.arguments[index]), !text.isEmpty else { return nil }
        if text.hasPrefix("/") { return InsidePath.join("/", text) }
        let descriptor = directory.map { Int32(truncatingIfNeeded: call.arguments[$0]) } ?? Self.workingDirectory
        let start = thread.path(ofDescriptor: descriptor == Self.workingDirectory ? nil : descriptor)
        return start.flatMap { InsidePath.join($0, text) }
    }

    private static func access(_ arguments: [UInt64], _ use: CallShape.Use) -> FileAccess {
        switch use {
        case .read: return .read
        case .write: return .write
        case .execute: return .execute
        // Whatever is not for reading alone (O_ACCMODE), and O_CREAT.
        case .open(let index): return arguments[index] & 0o103 == 0 ? .read : .write
        // X_OK, W_OK
        case .probe(let index):
            let mode = arguments[index]
            return mode & 2 != 0 ? .write : mode & 1 != 0 ? .execute : .read
        }
    }

    /// A name that is nowhere is no denial. One that the host has, and the jail does not show, is.
    private func missing(
        _ path: String, _ access: FileAccess, _ use: CallShape.Use, _ thread: some CallSurroundings
    ) -> Observation.Subject? {
        guard !InsidePath.isNoise(path) else { return nil }
        // What is to be made would be in the directory above.
        if access == .write {
            let above = path.split(separator: "/").dropLast().joined(separator: "/")
            let isThere = thread.onHost(path) != .nothing || (!above.isEmpty && thread.onHost("/" + above) != .nothing)
            return isThere ? .file(path: path, access: .write) : nil
        }
        switch thread.onHost(path) {
        case .nothing: return nil
        case .program:
            if let name = InsidePath.programName(path) { return .program(name) }
            return use == .execute ? .program(path) : .file(path: path, access: access)
        case .something: return .file(path: path, access: access)
        }
    }

    // MARK: Sockets

    private func subject(
        _ address: SocketAddress, _ binds: Bool, _ error: Failure, _ thread: some CallSurroundings
    ) -> Observation.Subject? {
        switch address {
        case .local(let path):
            guard [.notFound, .noAccess, .notPermitted, .readOnly].contains(error),
                let start = path.hasPrefix("/") ? "/" : thread.path(ofDescriptor: nil),
                let name = InsidePath.join(start, path)
            else { return nil }
            if binds { return error == .notFound ? nil : .file(path: name, access: .write) }
            if error == .notFound, InsidePath.isNoise(name) || thread.onHost(name) == .nothing { return nil }
            return .file(path: name, access: .connect)
        case .internet(let host, let port, let isLoopback):
            if binds { return [.noAccess, .notPermitted].contains(error) ? .bind(port: port) : nil }
            // Inside every address is one of the jail's own, and what is refused has no way out behind it.
            let refusals: [Failure] = [.noAccess, .notPermitted, .noNetwork, .noHost, .connectionRefused]
            guard refusals.contains(error), !isLoopback, port != 0 else { return nil }
            var fields = NetworkSubjectFields(host: host)
            fields.port = port
            fields.scheme = "tcp"
            return .network(fields)
        }
    }

    /// What walls and limits answer with.
    private enum Failure: Int32 {
        case notPermitted = 1
        case notFound = 2
        case again = 11
        case noMemory = 12
        case noAccess = 13
        case tooManyFiles = 24
        case tooLarge = 27
        case noSpace = 28
        case readOnly = 30
        case noCall = 38
        case noFamily = 97
        case noNetwork = 101
        case connectionRefused = 111
        case noHost = 113
        case quota = 122
    }

    /// As the kernel's headers name an error that ``subject(_:_:)`` takes; nil: none of these.
    package static func name(ofError errno: Int32) -> String? {
        switch Failure(rawValue: errno) {
        case .notPermitted: "EPERM"
        case .notFound: "ENOENT"
        case .again: "EAGAIN"
        case .noMemory: "ENOMEM"
        case .noAccess: "EACCES"
        case .tooManyFiles: "EMFILE"
        case .tooLarge: "EFBIG"
        case .noSpace: "ENOSPC"
        case .readOnly: "EROFS"
        case .noCall: "ENOSYS"
        case .noFamily: "EAFNOSUPPORT"
        case .noNetwork: "ENETUNREACH"
        case .connectionRefused: "ECONNREFUSED"
        case .noHost: "EHOSTUNREACH"
        case .quota: "EDQUOT"
        case nil: nil
        }
    }
}
