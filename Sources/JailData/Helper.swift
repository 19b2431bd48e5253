internal import Glibc
package import JailCore

/// Whose rights everything has that touches a jail's files: those of the user that they belong to, and never root's.
package struct DataOwner: Equatable, Sendable {
    package let uid: UInt32
    package let gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    /// Who reads an archive that is not unpacked: anybody with no rights to speak of. Of root, nobody(65534).
    package static var reader: DataOwner {
        System.effectiveUserID == 0
            ? DataOwner(uid: 65534, gid: 65534)
            : DataOwner(uid: System.effectiveUserID, gid: System.effectiveGroupID)
    }

    /// Of what is there.
    ///
    /// - Throws: if it is root's, or another user's than the caller may act as.
    package init(of tree: Descriptor, path: String) throws(JailError) {
        let status = try attempt(.data, path) { () throws(SystemError) in try System.status(of: tree) }
        let caller = System.effectiveUserID
        guard status.isDirectory, status.uid != 0 || status.gid != 0 || caller == 0,
            caller == 0 ? status.uid != 0 : status.uid == caller
        else {
            throw JailError(
                .data, path: path, reason: "it belongs to uid \(status.uid): the data of a jail is its user's own",
                hint: caller == 0 ? nil : "ask as that user, or as root", status: ExitStatus.refused)
        }
        self.init(uid: status.uid, gid: status.gid)
    }
}

/// A program of the host's that reads or writes what a jail has made: as the owner of that, with an empty environment, and
/// within walls of its own.
struct Helper {
    enum Access {
        /// Its three streams are all that it has.
        case streams
        /// The tree as well.
        case read, write
    }

    let tool: Tool
    var arguments: [String]
    let owner: DataOwner
    var access = Access.streams
    /// Its working directory.
    var tree: Descriptor?
    /// What it has as descriptors 3 and above, besides its streams.
    var others: [Descriptor] = []

    /// Starts it; what fails on its way is said on `errors`.
    ///
    /// - Parameter program: its path.
    func start(
        _ program: String, input: Descriptor, output: Descriptor, errors: Descriptor
    ) throws(SystemError) -> Int32 {
        let parent = System.processID
        let pid = try System.fork()
        guard pid == 0 else { return pid }
        do throws(SystemError) {
            try become(parent, input, output, errors)
            try System.execute(program, arguments: [tool.rawValue] + arguments, environment: [])
        } catch {
            try? System.writeAll(.standardError, "\(error.call.name): \(error.errno)")
            System.exitNow(ExitStatus.notExecutable)
        }
    }

    /// Runs it to its end, and hears what it says: a line, shortened.
    func run(input: Descriptor) throws(JailError) -> (ended: Termination, said: String) {
        let program = try tool.found()
        return try attempt(.data) { () throws(SystemError) in
            let ends = try System.pipe().release()
            let (read, write) = (
                SharedDescriptor(OwnedDescriptor(ends.readEnd)), SharedDescriptor(OwnedDescriptor(ends.writeEnd))
            )
            defer { withExtendedLifetime((read, write)) {} }
            let pid = try start(program, input: input, output: write.borrowed, errors: write.borrowed)
            write.close()
            var said: [UInt8] = []
            while true {
                let part = try System.read(read.borrowed, most: 4096)
                if part.isEmpty { break }
                said += part.prefix(max(0, HelperLine.mostSaid - said.count))
            }
            return (try System.wait(forChild: pid), HelperLine.shortened(said))
        }
    }

    private func become(
        _ parent: Int32, _ input: Descriptor, _ output: Descriptor, _ errors: Descriptor
    ) throws(SystemError) {
        try System.resetSignals()
        // Above the three first, or one of them could be in the place of another.
        let moved = try ([input, output, errors] + others).map { (descriptor) throws(SystemError) in
            try System.duplicate(descriptor, atLeast: 16).release()
        }
        for (number, from) in moved.enumerated() {
            try System.duplicate(Descriptor(from), to: Int32(number), closeOnExec: false)
        }
        // With the caller's rights: the owner may not be able to reach the tree by name.
        if let tree { try System.changeDirectory(tree) } else { try System.changeDirectory("/") }
        if System.effectiveUserID == 0 {
            try System.setSupplementaryGroups([])
            try System.setGroup(owner.gid)
            try System.setUser(owner.uid)
            guard try System.capabilities().permitted == 0 else { throw SystemError(.check, .notPermitted) }
        }
        // After the ids, which clear it; and whoever waits for it may have died before it was set.
        try System.dieWithParent()
        guard System.parentProcessID == parent else { throw SystemError(.check, .noProcess) }
        try System.setNoNewPrivileges()
        // What was packed says which permissions a file has.
        System.setFileModeMask(access == .write ? 0 : 0o077)
        if access != .streams { try enterNamespace() }
        try HelperWalls.enter(access, tree)
    }

    /// A user namespace in which there is this user alone: root of its own files, which can read them whatever their modes
    /// say (a payload can take its owner's permissions away), and of nothing else. Where the kernel or its rules have none, the
    /// user's own permissions have to do.
    private func enterNamespace() throws(SystemError) {
        let ids = (uid: System.effectiveUserID, gid: System.effectiveGroupID)
        // Changed ids took it away, and with it the process's own files in /proc.
        try System.setDumpable(true)
        do throws(SystemError) { try System.unshare(.user) } catch { return }
        try Self.write("deny", "/proc/self/setgroups")
        try Self.write("0 \(ids.uid) 1", "/proc/self/uid_map")
        try Self.write("0 \(ids.gid) 1", "/proc/self/gid_map")
    }

    private static func write(_ text: String, _ path: String) throws(SystemError) {
        let file = SharedDescriptor(try System.open(path, [.writeOnly]))
        try withExtendedLifetime(file) { () throws(SystemError) in try System.writeAll(file.borrowed, text) }
    }
}
