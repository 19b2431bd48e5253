import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy

/// What a detached jail or a session has printed, as its supervisor keeps it: a file, and the one put aside before it.
struct LogFile {
    let path: String
    private var asidePath: String { path + ".1" }

    /// - Throws: ``ExitStatus/notThere`` if nothing of that name was ever kept.
    static func find(_ name: String) throws(JailError) -> LogFile {
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot read logs", status: ExitStatus.refused)
        }
        let address = try JailAddress(name)
        if let gateway = address.gateway {
            throw JailError(
                .usage, reason: "a session that a jail has had made keeps no log",
                hint: "what is said of it is in that of '\(gateway)', if it is detached")
        }
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        let logs = request.stateDirectory(try CallerFacts.current()) + "/logs"
        let own = LogFile(path: "\(logs)/\(name).log")
        let session = LogFile(path: "\(logs)/sessions/\(name).log")
        let isSession =
            switch address.presence {
            case .nothing: false
            case .dead(let state), .running(let state): Session(name: name, state: state, isRunning: true) != nil
            }
        for file in isSession ? [session, own] : [own, session] where try file.open() != nil { return file }
        throw JailError(
            .usage, reason: "there is no log of '\(name)'",
            hint: "those of jails that were started with --detach, and of sessions, are kept",
            status: ExitStatus.notThere)
    }

    private init(path: String) { self.path = path }

    /// nil: there is none.
    func open() throws(JailError) -> LogPart? { try open(path) }
    func openAside() throws(JailError) -> LogPart? { try open(asidePath) }

    private func open(_ path: String) throws(JailError) -> LogPart? {
        do throws(SystemError) {
            let file = SharedDescriptor(
                try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal]))
            let status = try System.status(of: file.borrowed)
            guard status.kind == .regular else { throw SystemError(.check, .invalid) }
            return LogPart(file: file, identity: status.identity)
        } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.runtime, error, path: path)
        }
    }
}

/// One of the two files, and how far it was read.
struct LogPart {
    let file: SharedDescriptor
    let identity: FileIdentity
    var offset: UInt64 = 0

    /// Empty at its end.
    mutating func read() throws(SystemError) -> [UInt8] {
        let bytes = try System.read(file.borrowed, at: offset, most: 65536)
        offset += UInt64(bytes.count)
        return bytes
    }

    /// Where the last `wanted` lines begin, and how many there are: fewer if the whole file has fewer. A last line without an
    /// end is one.
    func beginning(ofLast wanted: Int) throws(SystemError) -> (offset: UInt64, lines: Int) {
        var position = try System.status(of: file.borrowed).size
        guard wanted > 0, position > 0 else { return (position, 0) }
        var lines = 0
        var isEnd = true
        while position > 0 {
            let length = min(position, 65536)
            position -= length
            let bytes = try System.read(file.borrowed, at: position, most: Int(length))
            for index in bytes.indices.reversed() {
                defer { isEnd = false }
                guard bytes[index] == 0x0A, !isEnd else { continue }
                lines += 1
                if lines == wanted { return (position + UInt64(index) + 1, lines) }
            }
        }
        return (0, lines + 1)
    }
}
