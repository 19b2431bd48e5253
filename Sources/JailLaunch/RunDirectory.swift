package import JailCore

/// What is running, on disk: one directory for each jail, with a lock that its supervisor holds, its state, and a
/// socket to stop it by. Never visible inside.
///
/// A supervisor that is killed leaves its directory behind, unlocked; the next start removes it, and the control
/// groups that its state names.
package struct RunDirectory: ~Copyable {
    package let path: String
    private let base: String
    private let directory: OwnedDescriptor
    private let lock: OwnedDescriptor

    package static let stateFile = "state.json"
    package static let cgroupFile = "cgroups"
    package static let socketFile = "control.sock"
    static let lockFile = "lock"
    /// The path of the socket for deciders, of a jail that has one.
    static let decidersFile = "deciders"

    private init(path: String, base: String, directory: consuming OwnedDescriptor, lock: consuming OwnedDescriptor) {
        self.path = path
        self.base = base
        self.directory = directory
        self.lock = lock
    }

    /// Takes the name, after clearing away what dead supervisors left.
    ///
    /// - Parameters:
    ///   - base: `/run/clawjail` or its like; made if it is not there, refused if it is anybody else's.
    ///   - stale: removes the control groups of a list; false while one is busy.
    package static func claim(
        _ name: String, in base: String, removing stale: (_ cgroups: [UInt8]) -> Bool
    ) throws(JailError) -> RunDirectory {
        try prepareBase(base)
        let path = "\(base)/\(name)"
        let guardFile = try takeGuard(base)
        defer { withExtendedLifetime(guardFile.borrowed) {} }
        try attempt(.runtime, base) { () throws(SystemError) in try sweep(base, removing: stale) }
        do { try System.makeDirectory(path, mode: 0o700) } catch  where error.errno == .exists {
            throw JailError(
                .runtime, reason: "a jail named '\(name)' is running",
                hint: "stop it with 'clawjail stop \(name)', or choose another name with --name",
                status: ExitStatus.exists)
        } catch { throw JailError(.runtime, error, path: path) }
        do {
            return try attempt(.runtime, path) { () throws(SystemError) in try open(path, in: base) }
        } catch {
            // Still guarded: nobody else has looked into it.
            try? System.unlink("\(path)/\(lockFile)")
            try? System.unlink(path, isDirectory: true)
            throw error
        }
    }

    /// The same for somebody who starts no jail, and keeps others from starting one of that name.
    package static func reserve(_ name: String, in base: String) throws(JailError) -> RunDirectory {
        try claim(name, in: base, removing: JailState.removeCgroups)
    }

    private static func open(_ path: String, in base: String) throws(SystemError) -> RunDirectory {
        let directory = try System.open(path, [.readOnly, .directory, .noFollow])
        let lock = try System.open(
            lockFile, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory.borrowed)
        // Waits for those who only look whether anybody holds it; they let go at once.
        try System.lock(lock.borrowed, .exclusive)
        return RunDirectory(path: path, base: base, directory: directory, lock: lock)
    }

    /// A directory of this user's own, made if it is not there.
    static func prepareBase(_ base: String) throws(JailError) {
        let status: FileStatus
        do {
            do { try System.makeDirectory(base, mode: 0o700) } catch  where error.errno == .exists {}
            status = try System.status(base)
        } catch {
            throw JailError(.runtime, error, path: base, hint: error.errno == .notFound ? "set XDG_RUNTIME_DIR" : nil)
        }
        guard status.isDirectory, status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw JailError(
                .runtime, path: base, reason: "it must be a directory of this user's own with mode 0700",
                hint: "remove it, or set XDG_RUNTIME_DIR")
        }
    }

    private static func sweep(_ base: String, removing stale: (_ cgroups: [UInt8]) -> Bool) throws(SystemError) {
        let directory = try System.open(base, [.readOnly, .directory, .noFollow])
        var patience = 100
        // No jail's name begins with a dot: what does is looked after by others.
        for entry in try System.names(in: directory.borrowed) where entry.kind == 4 && !entry.name.hasPrefix(".") {
            guard let jail = try? System.open(entry.name, [.readOnly, .directory, .noFollow], at: directory.borrowed),
                !isLocked(jail.borrowed)
            else { continue }
            let groups = (try? System.readFile(cgroupFile, at: jail.borrowed)) ?? []
            // What stays busy keeps the directory, for the start after this one.
            guard clear(groups, patience: &patience, removing: stale),
                removeSessions(in: "\(base)/\(entry.name)", removing: stale)
            else { continue }
            removeFiles(in: jail.borrowed)
            try? System.unlink(entry.name, at: directory.borrowed, isDirectory: true)
        }
    }

    /// Those of a supervisor that was killed just now are busy until its init has ended.
    private static func clear(
        _ groups: [UInt8], patience: inout Int, removing stale: (_ cgroups: [UInt8]) -> Bool
    ) -> Bool {
        var isClear = stale(groups)
        while !isClear, patience > 0, (try? System.pause(milliseconds: 2)) != nil {
            patience -= 1
            isClear = stale(groups)
        }
        return isClear
    }

    /// What there is of a jail of this name.
    package enum Presence {
        case nothing
        /// Its supervisor is gone; what it left is cleared by the next start, or ``clearDead(in:)``.
        case dead(state: [UInt8])
        /// The state is empty while it is being made.
        case running(state: [UInt8])
    }

    package static func presence(of name: String, in base: String) -> Presence {
        guard let jail = try? System.open("\(base)/\(name)", [.readOnly, .directory, .noFollow]) else {
            return .nothing
        }
        let state = (try? System.readFile(stateFile, at: jail.borrowed)) ?? []
        return isLocked(jail.borrowed) ? .running(state: state) : .dead(state: state)
    }

    /// Removes what supervisors that were killed have left.
    package static func clearDead(in base: String) throws(JailError) {
        guard (try? System.status(base)) != nil else { return }
        let guardFile = try takeGuard(base)
        defer { withExtendedLifetime(guardFile.borrowed) {} }
        try attempt(.runtime, base) { () throws(SystemError) in
            try sweep(base, removing: JailState.removeCgroups)
        }
    }

    /// Held while directories come and go, so that nobody clears away what is just being made.
    private static func takeGuard(_ base: String) throws(JailError) -> OwnedDescriptor {
        try attempt(.runtime, "\(base)/.lock") { () throws(SystemError) in
            let file = try System.open(
                "\(base)/.lock", [.writeOnly, .create, .noFollow], mode: 0o600)
            try System.lock(file.borrowed, .exclusive)
            return file
        }
    }

    /// The guard, or nil after a second: the end of a jail waits for nobody for ever.
    private static func awaitGuard(_ base: String) -> SharedDescriptor? {
        guard let file = try? SharedDescriptor(System.open("\(base)/.lock", [.writeOnly, .noFollow])) else {
            return nil
        }
        for _ in 0..<200 {
            guard let isMine = try? System.tryLock(file.borrowed, .exclusive) else { return nil }
            if isMine { return file }
            try? System.pause(milliseconds: 5)
        }
        return nil
    }

    /// Whether a supervisor is alive behind a jail's directory.
    package static func isLocked(_ directory: Descriptor) -> Bool {
        guard let lock = try? System.open(lockFile, [.writeOnly, .noFollow], at: directory) else { return false }
        // Shared: two who look at the same time do not take one another for a supervisor.
        return (try? System.tryLock(lock.borrowed, .shared)) == false
    }

    private static func removeFiles(in directory: Descriptor) {
        removeDeciderSocket(in: directory)
        for file in [stateFile, "\(stateFile).new", cgroupFile, "\(cgroupFile).new", socketFile, lockFile] {
            try? System.unlink(file, at: directory)
        }
    }

    /// A socket for deciders outlives the process that has made it, as a name that leads nowhere.
    func removeDeciderSocket() { Self.removeDeciderSocket(in: directory.borrowed) }

    private static func removeDeciderSocket(in directory: Descriptor) {
        guard let path = try? System.readFile(decidersFile, at: directory) else { return }
        try? System.unlink(String(decoding: path, as: UTF8.self))
        for file in [decidersFile, "\(decidersFile).new"] { try? System.unlink(file, at: directory) }
    }

    /// Replaces a file as a whole: readers see the old or the new.
    package func write(_ text: String, to name: String) throws(JailError) {
        do {
            let file = try System.open(
                "\(name).new", [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: directory.borrowed)
            try System.writeAll(file.borrowed, text)
            try System.rename("\(name).new", to: name, at: directory.borrowed)
        } catch {
            throw JailError(.runtime, error, path: "\(path)/\(name)")
        }
    }

    /// A socket that `clawjail stop` and its like connect to.
    package func makeSocket() throws(JailError) -> OwnedDescriptor {
        do {
            let socket = try System.makeUnixSocket(.sequencedPacket)
            try System.bind(socket.borrowed, path: Self.socketPath(in: directory.borrowed))
            try System.listen(socket.borrowed, backlog: 128)
            try System.setNonBlocking(socket.borrowed)
            return socket
        } catch {
            throw JailError(.runtime, error, path: "\(path)/\(Self.socketFile)")
        }
    }

    /// Connects to the supervisor of a run directory. ENOENT: there is none of that name; ECONNREFUSED: nobody is behind it;
    /// EAGAIN: too many others wait.
    package static func connect(to path: String) throws(SystemError) -> SharedDescriptor {
        let directory = SharedDescriptor(try System.open(path, [.pathOnly, .directory, .noFollow]))
        let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
        try System.setNonBlocking(socket.borrowed)
        try withExtendedLifetime((directory, socket)) { () throws(SystemError) in
            try System.connect(socket.borrowed, path: socketPath(in: directory.borrowed))
            try System.setNonBlocking(socket.borrowed, false)
        }
        return socket
    }

    /// An address holds 107 bytes, and a path may be longer.
    private static func socketPath(in directory: Descriptor) -> String {
        "/proc/self/fd/\(directory.number)/\(socketFile)"
    }

    // MARK: Sessions

    /// The base of the jails that were made beside another one: below that one's run directory.
    package static func sessions(of gateway: String, in base: String) -> String { "\(base)/\(gateway)/\(sessionsName)" }

    private static let sessionsName = "sessions"

    /// The names in a base, whether or not their supervisors are alive.
    package static func names(in base: String) -> [String] {
        guard let directory = try? System.open(base, [.readOnly, .directory, .noFollow]),
            let names = try? System.names(in: directory.borrowed)
        else { return [] }
        return names.filter { $0.kind == 4 }.map(\.name).sorted()
    }

    /// The names in a base whose supervisors are alive, also of those that are still being made, with their state.
    ///
    /// - Parameter settled: waits a second at most until nobody is just claiming a name.
    package static func held(in base: String, settled: Bool = false) -> [(name: String, state: [UInt8])] {
        let guardFile = settled ? awaitGuard(base) : nil
        defer { withExtendedLifetime(guardFile) {} }
        return names(in: base).filter { !$0.hasPrefix(".") }.compactMap { name in
            guard case .running(let state) = presence(of: name, in: base) else { return nil }
            return (name, state)
        }
    }

    /// The same for this one, whose jail has ended.
    func removeSessions(removing stale: (_ cgroups: [UInt8]) -> Bool) -> Bool {
        Self.removeSessions(in: path, removing: stale)
    }

    /// Clears away what is left of the sessions of a jail that has ended; false while one of them is still there.
    private static func removeSessions(
        in path: String, removing stale: (_ cgroups: [UInt8]) -> Bool
    ) -> Bool {
        let base = "\(path)/\(sessionsName)"
        do throws(SystemError) { try sweep(base, removing: stale) } catch { return error.errno == .notFound }
        try? System.unlink("\(base)/.lock")
        try? System.unlink(base, isDirectory: true)
        return (try? System.status(base)) == nil
    }

    // MARK: Guardians

    /// The same, for a process below the one that has claimed it: the lock is held as long as one of them lives.
    func duplicate() throws(JailError) -> RunDirectory {
        try attempt(.runtime, path) { () throws(SystemError) in
            RunDirectory(
                path: path, base: base, directory: try System.duplicate(directory.borrowed, atLeast: 3),
                lock: try System.duplicate(lock.borrowed, atLeast: 3))
        }
    }

    /// Clears away what a supervisor has left that was killed; false while something of it is still there.
    func clearLeftovers(removing stale: (_ cgroups: [UInt8]) -> Bool) -> Bool {
        let groups = (try? System.readFile(Self.cgroupFile, at: directory.borrowed)) ?? []
        var patience = 100
        return Self.clear(groups, patience: &patience, removing: stale)
            && Self.removeSessions(in: path, removing: stale)
    }

    /// Removes everything; the lock goes with the descriptor.
    package consuming func remove() {
        // Nobody may claim the name between the files and the directory. Where the guard fails there is nobody to tell.
        let guardFile = Self.awaitGuard(base)
        defer { withExtendedLifetime(guardFile) {} }
        Self.removeFiles(in: directory.borrowed)
        try? System.unlink(path, isDirectory: true)
    }

    /// The names in `base` that have a state file, in order, and whether their supervisors are alive.
    package static func all(in base: String) -> [(name: String, presence: Presence)] {
        guard let directory = try? System.open(base, [.readOnly, .directory, .noFollow]),
            let names = try? System.names(in: directory.borrowed)
        else { return [] }
        var result: [(name: String, presence: Presence)] = []
        for entry in names.sorted(by: { $0.name < $1.name }) where entry.kind == 4 {
            guard let jail = try? System.open(entry.name, [.readOnly, .directory, .noFollow], at: directory.borrowed),
                let state = try? System.readFile(stateFile, at: jail.borrowed)
            else { continue }
            result.append((entry.name, isLocked(jail.borrowed) ? .running(state: state) : .dead(state: state)))
        }
        return result
    }
}
