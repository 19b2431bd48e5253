internal import JailCore

/// Where the keeper of a group is found: `.egress/GROUP/` in the run directory, with a lock that it holds as long as it
/// lives, and a socket. Supervisors of one user alone get there.
struct KeeperDirectory {
    /// What a new keeper is born with, both open: it exists for others before it has taken its first step.
    struct Seat {
        let directory: KeeperDirectory
        let listener: SharedDescriptor
        let lock: SharedDescriptor
    }

    private let parent: String
    private let path: String

    static let parentName = ".egress"
    private static let socketFile = "keeper.sock"
    /// Connections that wait to be taken; more than one process serves.
    private static let backlog: Int32 = 128

    private init(_ group: String, in base: String) {
        parent = "\(base)/\(Self.parentName)"
        path = "\(parent)/\(group)"
    }

    /// Connects to the group's keeper. Where there is none its place is made, and `start` called to fill it.
    ///
    /// Whoever comes, and the keeper that goes, does it behind one lock: two that come at once find the same keeper.
    static func join(
        _ group: String, in base: String, start: (Seat) throws(SystemError) -> Void
    ) throws(JailError) -> SharedDescriptor {
        let directory = KeeperDirectory(group, in: base)
        try RunDirectory.prepareBase(directory.parent)
        return try attempt(.egress, directory.path) { () throws(SystemError) in
            let door = try directory.openDoor()
            try System.lock(door.borrowed, .exclusive)
            // By name, since the keeper that is started here has a copy of the descriptor for a moment.
            defer { try? System.lock(door.borrowed, .unlock) }
            if try !directory.isHeld() { try start(try directory.make()) }
            return try directory.connect()
        }
    }

    private func openDoor() throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try System.open("\(parent)/.lock", [.writeOnly, .create, .noFollow], mode: 0o600))
    }

    private func isHeld() throws(SystemError) -> Bool {
        do throws(SystemError) {
            let lock = SharedDescriptor(try System.open("\(path)/\(RunDirectory.lockFile)", [.writeOnly, .noFollow]))
            return try withExtendedLifetime(lock) { () throws(SystemError) in
                try !System.tryLock(lock.borrowed, .exclusive)
            }
        } catch {
            guard error.errno == .notFound else { throw error }
            return false
        }
    }

    /// Clears away what a killed keeper left, and makes everything anew.
    private func make() throws(SystemError) -> Seat {
        clear()
        try System.makeDirectory(path, mode: 0o700)
        let lock = SharedDescriptor(
            try System.open(
                "\(path)/\(RunDirectory.lockFile)", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600))
        let listener = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
        try withExtendedLifetime((lock, listener)) { () throws(SystemError) in
            try System.lock(lock.borrowed, .exclusive)
            try System.bind(listener.borrowed, path: "\(path)/\(Self.socketFile)")
            try System.listen(listener.borrowed, backlog: Self.backlog)
            try System.setNonBlocking(listener.borrowed)
        }
        return Seat(directory: self, listener: listener, lock: lock)
    }

    private func clear() {
        // What cannot be removed is found again where it is to be made.
        for file in [Self.socketFile, RunDirectory.lockFile] { try? System.unlink("\(path)/\(file)") }
        try? System.unlink(path, isDirectory: true)
    }

    private func connect() throws(SystemError) -> SharedDescriptor {
        let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
        return try withExtendedLifetime(socket) { () throws(SystemError) in
            // A keeper that does not take its callers must not keep this one waiting.
            try System.setNonBlocking(socket.borrowed)
            try System.connect(socket.borrowed, path: "\(path)/\(Self.socketFile)")
            guard try System.peer(of: socket.borrowed).uid == System.effectiveUserID else {
                throw SystemError(.check, .notPermitted)
            }
            return socket
        }
    }

    // MARK: The keeper's

    /// Shuts the door, and removes the directory, unless somebody has come meanwhile. Nobody can come between that and the
    /// end of the process, which opens the door again.
    ///
    /// - Parameters:
    ///   - mayWait: for those who are at the door.
    ///   - isWanted: asked once nobody can come any more.
    /// - Returns: whether the keeper is to go.
    func leave(_ lock: SharedDescriptor, mayWait: Bool, unless isWanted: () -> Bool) throws(SystemError) -> Bool {
        let door = try openDoor()
        return try withExtendedLifetime((door, lock)) { () throws(SystemError) in
            if mayWait {
                try System.lock(door.borrowed, .exclusive)
            } else {
                guard try System.tryLock(door.borrowed, .exclusive) else { return false }
            }
            guard !isWanted() else { return false }
            // Somebody may have removed the directory by hand, and the next keeper made its own.
            let own = try System.status(of: lock.borrowed).identity
            if (try? System.status("\(path)/\(RunDirectory.lockFile)"))?.identity == own { clear() }
            // Held up to the end of the process.
            _ = door.take().release()
            return true
        }
    }
}
