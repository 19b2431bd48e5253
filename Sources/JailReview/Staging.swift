internal import JailCore

/// Makes what is to be applied ready beside what it will replace, on the same file system.
struct Staging {
    /// Whose a new file is.
    private struct Owner {
        var uid: UInt32
        var gid: UInt32
    }

    let staging: Descriptor
    let upper: Descriptor
    let target: Descriptor
    /// Bytes that all of it may have.
    let size: UInt64
    let chosen: Set<FilePath>
    /// Called after each file that was made.
    let onStep: () -> Void
    private var total: UInt64 = 0
    /// Directories above something that was chosen.
    private var above: Set<FilePath> = []
    private var owner = Owner(uid: 0, gid: 0)

    init(
        staging: Descriptor, upper: Descriptor, target: Descriptor, size: UInt64, chosen: [Change],
        onStep: @escaping () -> Void
    ) {
        self.staging = staging
        self.upper = upper
        self.target = target
        self.size = size
        self.chosen = Set(chosen.map(\.path))
        self.onStep = onStep
        for change in chosen {
            var path = change.path.parent
            while path != .root, above.insert(path).inserted { path = path.parent }
        }
    }

    /// The step that brings one unit of changes about.
    mutating func stage(_ top: Change, index: Int, old: Manifest.Entry?) throws(JailError) -> Journal.Step {
        var step = Journal.Step(action: .remove, path: top.path, index: index, old: old)
        switch top.kind {
        case .removed: return step
        case .mode:
            step.action = .mode
            step.mode = (top.after?.usualPermissions ?? 0) | (top.before?.permissions ?? 0) & 0o7000
            return step
        case .added, .modified, .replaced: step.action = top.before == nil ? .put : .swap
        }
        do throws(SystemError) {
            owner = try owner(top.path, old)
            let parent = try Tree.open(top.path.parent, below: upper)
            try withExtendedLifetime(parent) { () throws(SystemError) in
                try copy(
                    top.path.name, at: parent.borrowed, top.path, to: step.name, at: staging,
                    isWhole: top.isIndivisible)
            }
            step.new = try System.status(step.name, at: staging).identity.inode
        } catch { throw JailError(.changes, error, path: top.path.shown) }
        return step
    }

    /// Of something new that is applied in part: the directories that are made for the parts.
    func directories(of unit: FilePath, _ parts: [Change]) -> [FilePath] {
        var result = Set(parts.filter { $0.after?.kind == .directory }.map(\.path))
        for part in parts {
            var path = part.path.parent
            while path.isWithin(unit), path != .root {
                result.insert(path)
                path = path.parent
            }
        }
        return result.sorted()
    }

    /// What replaces something belongs to whom that belonged to; what is new, to whom the directory belongs that it is in.
    private func owner(_ path: FilePath, _ old: Manifest.Entry?) throws(SystemError) -> Owner {
        if let old { return Owner(uid: old.uid, gid: old.gid) }
        let parent = try Tree.open(path.parent, below: target)
        let status = try withExtendedLifetime(parent) { () throws(SystemError) in
            try System.status(of: parent.borrowed)
        }
        let keepsGroup = System.effectiveUserID == 0 || status.permissions & 0o2000 != 0
        return Owner(uid: status.uid, gid: keepsGroup ? status.gid : System.effectiveGroupID)
    }

    private mutating func copy(
        _ name: [UInt8], at directory: Descriptor, _ path: FilePath, to target: [UInt8], at other: Descriptor,
        isWhole: Bool
    ) throws(SystemError) {
        let status = try System.status(name, at: directory)
        switch status.kind {
        case .symlink:
            try System.makeSymlink(
                name: target, to: System.readLink(name: name, at: directory), at: other)
            try give(target, at: other)
        case .regular:
            try copyFile(name, at: directory, status, to: target, at: other)
        case .directory:
            try copyDirectory(name, at: directory, path, to: target, at: other, isWhole: isWhole)
        // Of a directory that replaces another one: what it hides is not there anyway.
        case .characterDevice where status.isWhiteout: return
        default: throw SystemError(.check, .invalid)
        }
        onStep()
    }

    private mutating func copyFile(
        _ name: [UInt8], at directory: Descriptor, _ status: FileStatus, to target: [UInt8], at other: Descriptor
    ) throws(SystemError) {
        let from = try System.open(name: name, [.readOnly, .nonBlocking], at: directory)
        let size = try System.status(of: from.borrowed).size
        guard size <= self.size, total <= self.size - size else { throw SystemError(.check, .tooLarge) }
        total += size
        let to = try System.open(name: target, [.writeOnly, .create, .exclusive], mode: 0o600, at: other)
        try Tree.copy(from.borrowed, to: to.borrowed, size: size)
        try give(target, at: other)
        // After the owner, which may take bits of it away.
        try System.changeMode(to.borrowed, status.permissions & 0o777)
    }

    private mutating func copyDirectory(
        _ name: [UInt8], at directory: Descriptor, _ path: FilePath, to target: [UInt8], at other: Descriptor,
        isWhole: Bool
    ) throws(SystemError) {
        let from = SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: directory))
        let mode = try System.status(of: from.borrowed).permissions & 0o777
        try System.makeDirectory(name: target, mode: 0o700, at: other)
        let to = SharedDescriptor(try System.open(name: target, [.readOnly, .directory], at: other))
        defer { withExtendedLifetime((from, to)) {} }
        for entry in try System.entries(in: from.borrowed) {
            let inner = path.appending(entry.name)
            guard isWhole || chosen.contains(inner) || above.contains(inner) else { continue }
            try copy(entry.name, at: from.borrowed, inner, to: entry.name, at: to.borrowed, isWhole: isWhole)
        }
        try give(target, at: other)
        try System.changeMode(to.borrowed, mode)
    }

    /// A user who is not root can only give a file to a group of its own, and keeps it where the group is another one.
    private func give(_ name: [UInt8], at directory: Descriptor) throws(SystemError) {
        let status = try System.status(name, at: directory)
        guard status.uid != owner.uid || status.gid != owner.gid else { return }
        do throws(SystemError) {
            try System.changeOwner(name: name, at: directory, uid: owner.uid, gid: owner.gid)
        } catch {
            guard System.effectiveUserID != 0, error.errno == .notPermitted else { throw error }
        }
    }
}
