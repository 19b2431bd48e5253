internal import JailCore

/// What is being done to a workspace, so that whoever comes after somebody who was killed can bring it to an end.
struct Journal: Equatable {
    enum State: String {
        /// New files are being made beside the old ones, or all is undone. To be removed: nothing has changed.
        case staging
        /// All of them are there. To be done.
        case ready
        /// Something was in the way. To be undone.
        case undo
        /// Every step is done, or there was none. What is left over is to be removed.
        case done
    }

    enum Action: String {
        /// Something new.
        case put
        /// In the place of something.
        case swap
        case remove
        /// The permissions of a directory.
        case mode
    }

    /// One step on the workspace, which the kernel does as a whole.
    struct Step: Equatable {
        var action: Action
        var path: FilePath
        /// Its name in the staging directory.
        var index: Int
        /// The inode of what is new; 0: nothing is.
        var new: UInt64 = 0
        /// What is there before.
        var old: Manifest.Entry?
        /// Permissions afterwards, of a directory.
        var mode: UInt32 = 0

        var name: [UInt8] { Array("\(index)".utf8) }
    }

    var state: State
    /// The workspace, and its inode.
    var target: String
    var root: UInt64
    /// The directory in it where new and old files change places, and its inode; 0: it may not be there.
    var staging: String
    var stagingInode: UInt64 = 0
    var steps: [Step] = []
    /// What leaves the layer in the end.
    var prune: [FilePath] = []
    /// Directories of the layer that no longer hide anything.
    var reveal: [FilePath] = []
    /// Directories of the layer that get their permissions back.
    var restore: [Mode] = []

    struct Mode: Equatable {
        var path: FilePath
        var mode: UInt32
    }
}

/// A line for each.
extension Journal {
    private static let heading = "clawjail-journal 1"

    var text: String {
        var lines = [
            Self.heading, state.rawValue,
            "\(FilePath(bytes: Array(target.utf8)).escaped) \(root) \(staging) \(stagingInode)",
        ]
        for step in steps {
            let old = step.old.map(\.words) ?? "-"
            lines.append(
                "step \(step.action.rawValue) \(step.index) \(step.new) \(String(step.mode, radix: 8)) "
                    + "\(step.path.escaped) \(old)")
        }
        lines += prune.map { "prune \($0.escaped)" }
        lines += reveal.map { "reveal \($0.escaped)" }
        lines += restore.map { "restore \($0.path.escaped) \(String($0.mode, radix: 8))" }
        return lines.joined(separator: "\n") + "\nend\n"
    }

    /// nil: it is not whole.
    init?(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 4, lines[0] == Self.heading, lines.last == "end",
            let state = State(rawValue: String(lines[1]))
        else { return nil }
        let head = lines[2].split(separator: " ")
        guard head.count == 4, let target = FilePath(escaped: head[0]), let root = UInt64(head[1]),
            let inode = UInt64(head[3]), Self.isStagingName(String(head[2]))
        else { return nil }
        self.init(
            state: state, target: String(decoding: target.bytes, as: UTF8.self), root: root, staging: String(head[2]),
            stagingInode: inode)
        for line in lines[3..<(lines.count - 1)] {
            let words = line.split(separator: " ")
            switch words.first {
            case "step":
                guard let step = Step(words) else { return nil }
                steps.append(step)
            case "prune":
                guard words.count == 2, let path = FilePath(escaped: words[1]) else { return nil }
                prune.append(path)
            case "reveal":
                guard words.count == 2, let path = FilePath(escaped: words[1]) else { return nil }
                reveal.append(path)
            case "restore":
                guard words.count == 3, let path = FilePath(escaped: words[1]), let mode = UInt32(words[2], radix: 8)
                else { return nil }
                restore.append(Mode(path: path, mode: mode))
            default: return nil
            }
        }
    }

    // MARK: The staging directory

    private static let stagingPrefix = ".clawjail-apply-"

    static func stagingName() throws(SystemError) -> String {
        stagingPrefix + (try System.randomBytes(8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func isStagingName(_ name: String) -> Bool {
        name.hasPrefix(stagingPrefix) && name.utf8.count == stagingPrefix.utf8.count + 16 && !name.utf8.contains(0x2F)
    }
}

extension Journal.Step {
    fileprivate init?(_ words: [Substring]) {
        guard words.count >= 7, let action = Journal.Action(rawValue: String(words[1])), let index = Int(words[2]),
            let new = UInt64(words[3]), let mode = UInt32(words[4], radix: 8), let path = FilePath(escaped: words[5])
        else { return nil }
        self.init(action: action, path: path, index: index, new: new, mode: mode)
        if words[6...] == ["-"] { return }
        guard let old = Manifest.Entry(words[6...]) else { return nil }
        self.old = old
    }
}
