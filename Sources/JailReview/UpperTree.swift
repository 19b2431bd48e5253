package import JailCore

/// What an overlay's upper directory says was changed. All of it was made by the payload: nothing is believed that the
/// kernel would not have made, and nothing is followed.
package struct UpperTree {
    private let lower: Descriptor
    /// Bytes that one file may have, and all together: a file with holes takes no room, and would when it is copied.
    private let size: UInt64
    private(set) var changes: [Change] = []
    private var seen = 0

    /// A payload that makes more is told by the size limit first, unless its files are empty.
    static let mostChanges = 500_000
    static let deepest = 128

    /// - Parameters:
    ///   - upper: the layer's directory.
    ///   - lower: the workspace.
    /// - Returns: in the order of the paths.
    package static func changes(
        _ upper: Descriptor, over lower: Descriptor, size: UInt64
    ) throws(JailError) -> [Change] {
        var tree = UpperTree(lower: lower, size: size)
        try tree.walk(upper, lower, at: .root, within: nil)
        return tree.changes.sorted { $0.path < $1.path }
    }

    /// What a directory that is not merged with one below belongs to.
    private struct Unit {
        var path: FilePath
        var isIndivisible: Bool
    }

    private init(lower: Descriptor, size: UInt64) {
        self.lower = lower
        self.size = size
    }

    // MARK: Walking

    private mutating func walk(
        _ upper: Descriptor, _ lower: Descriptor?, at path: FilePath, within unit: Unit?
    ) throws(JailError) {
        let names = try names(in: upper, path)
        for name in names { try look(name, at: upper, lower, path.appending(name), unit) }
        guard let lower, let unit else { return }
        // It replaces what was below: of that, nothing is left but what is here.
        let left = Set(names)
        for name in try self.names(in: lower, path) where !left.contains(name) {
            try addRemoved(name, at: lower, path.appending(name), unit)
        }
    }

    private func names(in directory: Descriptor, _ path: FilePath) throws(JailError) -> [[UInt8]] {
        try attempt(.changes, path.shown) { () throws(SystemError) in
            try System.entries(in: directory, limit: Self.mostChanges).map(\.name)
        }
    }

    private mutating func look(
        _ name: [UInt8], at upper: Descriptor, _ lower: Descriptor?, _ path: FilePath, _ unit: Unit?
    ) throws(JailError) {
        guard let status = try Tree.status(name, at: upper, path) else { return }
        let before = try lower.flatMap { (lower) throws(JailError) in try Tree.status(name, at: lower, path) }
        if status.isWhiteout {
            guard let lower, before != nil else { return }
            // In what replaces a directory it hides nothing that is not hidden anyway.
            return try addRemoved(name, at: lower, path, unit ?? Unit(path: path, isIndivisible: true))
        }
        var change = Change(
            path: path, kind: .added, before: before.map { Change.Side($0) }, after: Change.Side(status),
            unit: unit?.path ?? path, isIndivisible: unit?.isIndivisible ?? false)
        change.runsOnHost = HostRunnable.reason(path, change.after)
        switch status.kind {
        case .directory: try lookInto(name, at: upper, lower, status, &change, unit)
        case .regular, .symlink:
            change.refusal = try refusal(name, at: upper, status, path)
            if status.kind == .symlink { try judge(name, at: upper, &change) }
            if let before, change.refusal == nil {
                guard try isChanged(name, at: upper, status, lower, before, path) else { return }
            }
            change.kind = before == nil ? .added : change.before?.kind == change.after?.kind ? .modified : .replaced
            if before?.isDirectory == true { change.isIndivisible = true }
            try append(change)
            if before?.isDirectory == true, let lower {
                try addContent(name, at: lower, path, Unit(path: change.unit, isIndivisible: true))
            }
        default:
            change.refusal = "it is a \(Self.word(status.kind))"
            try append(change)
        }
    }

    private mutating func append(_ change: Change) throws(JailError) {
        guard changes.count < Self.mostChanges else {
            throw JailError(
                .changes, reason: "more than \(Self.mostChanges) files were changed",
                hint: "look into the jail; 'clawjail changes discard NAME' begins anew")
        }
        changes.append(change)
    }

    private static func word(_ kind: FileStatus.Kind) -> String {
        switch kind {
        case .fifo: "FIFO"
        case .socket: "socket"
        default: "device"
        }
    }

    // MARK: Directories

    private mutating func lookInto(
        _ name: [UInt8], at upper: Descriptor, _ lower: Descriptor?, _ status: FileStatus, _ change: inout Change,
        _ unit: Unit?
    ) throws(JailError) {
        let path = change.path
        guard path.names.count < Self.deepest else {
            change.refusal = "it is nested too deeply"
            return try append(change)
        }
        let opened: SharedDescriptor
        let isOpaque: Bool
        do throws(SystemError) {
            opened = SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: upper))
            let marks = try OverlayMarks(of: opened.borrowed)
            change.refusal = marks.refusal
            isOpaque = marks.isOpaque
        } catch {
            // Its owner has taken the permissions away: whatever is in it, nobody has seen.
            change.refusal = "it cannot be read: \(error.errno)"
            return try append(change)
        }
        defer { withExtendedLifetime(opened) {} }
        guard change.refusal == nil else { return try append(change) }
        let wasDirectory = change.before?.kind == .directory
        var below: SharedDescriptor?
        if wasDirectory, let lower {
            below = try attempt(.changes, path.shown) { () throws(SystemError) in
                SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: lower))
            }
        }
        defer { withExtendedLifetime(below) {} }
        let isMerged = wasDirectory && unit == nil && !isOpaque
        let hasOtherMode = wasDirectory && change.before?.usualPermissions != change.after?.usualPermissions
        if isMerged {
            if hasOtherMode {
                change.kind = .mode
                try append(change)
            }
            return try walk(opened.borrowed, below?.borrowed, at: path, within: nil)
        }
        if change.before == nil {
            try append(change)
        } else if !wasDirectory || unit == nil {
            // A directory in the place of another one is listed itself, so that it can be seen what its parts belong to.
            change.kind = .replaced
            change.isIndivisible = true
            try append(change)
        } else if hasOtherMode {
            change.kind = .mode
            try append(change)
        }
        let own = unit ?? Unit(path: path, isIndivisible: change.before != nil)
        try walk(opened.borrowed, below?.borrowed, at: path, within: own)
    }

    // MARK: What was removed

    private mutating func addRemoved(
        _ name: [UInt8], at lower: Descriptor, _ path: FilePath, _ unit: Unit
    ) throws(JailError) {
        guard let status = try Tree.status(name, at: lower, path) else { return }
        try append(
            Change(
                path: path, kind: .removed, before: Change.Side(status), after: nil, unit: unit.path,
                isIndivisible: unit.isIndivisible))
        if status.isDirectory { try addContent(name, at: lower, path, unit) }
    }

    private mutating func addContent(
        _ name: [UInt8], at lower: Descriptor, _ path: FilePath, _ unit: Unit
    ) throws(JailError) {
        let directory: SharedDescriptor
        do throws(SystemError) {
            directory = SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: lower))
        } catch { throw JailError(.changes, error, path: path.shown) }
        defer { withExtendedLifetime(directory) {} }
        for inner in try names(in: directory.borrowed, path) {
            try addRemoved(inner, at: directory.borrowed, path.appending(inner), unit)
        }
    }

    // MARK: Files

    /// Whether it says something else. What was only opened for writing has been copied, and is as it was.
    private func isChanged(
        _ name: [UInt8], at upper: Descriptor, _ status: FileStatus, _ lower: Descriptor?, _ before: FileStatus,
        _ path: FilePath
    ) throws(JailError) -> Bool {
        guard let lower, before.kind == status.kind, before.size == status.size else { return true }
        return try attempt(.changes, path.shown) { () throws(SystemError) in
            if status.kind == .symlink {
                return try System.readLink(name: name, at: upper) != System.readLink(name: name, at: lower)
            }
            guard before.permissions & 0o777 == status.permissions & 0o777 else { return true }
            let new = try System.open(name: name, [.readOnly, .nonBlocking], at: upper)
            let old = try System.open(name: name, [.readOnly, .nonBlocking], at: lower)
            return !(try Tree.isSame(new.borrowed, old.borrowed, size: status.size))
        }
    }

    /// nil: it can be applied.
    private func refusal(
        _ name: [UInt8], at upper: Descriptor, _ status: FileStatus, _ path: FilePath
    ) throws(JailError) -> String? {
        guard status.kind == .regular else { return nil }
        guard status.size <= size else { return "it is larger than all changes may be" }
        do throws(SystemError) {
            let file = try System.open(name: name, [.readOnly, .nonBlocking], at: upper)
            return try OverlayMarks(of: file.borrowed).refusal
        } catch {
            return "it cannot be read: \(error.errno)"
        }
    }

    private func judge(_ name: [UInt8], at upper: Descriptor, _ change: inout Change) throws(JailError) {
        let target = try attempt(.changes, change.path.shown) { () throws(SystemError) in
            try System.readLink(name: name, at: upper)
        }
        change.leadsOut = LinkTarget.leadsOut(target, from: change.path)
        if target.count >= 4096 { change.refusal = "it says more than a link can" }
    }
}
