internal import JailCore
internal import JailPolicy

/// Paths among the words of a command that runs on the host. By their text they are below the roots that the rule names; here it
/// is seen that no symlink leads out of them. That is so when the command starts: who may write there can change it.
struct CommandPaths {
    private let rule: CommandRule
    private let roots: [String]

    init(_ rule: CommandRule) {
        self.rule = rule
        var roots: [String] = []
        for shape in rule.arguments.map(\.shape) + rule.flags.compactMap(\.value) {
            if case .below(let root) = shape, !roots.contains(root) { roots.append(root) }
        }
        self.roots = roots
    }

    /// Which shape has taken a word is not asked: whatever could be a path below a root must be one.
    func check(_ words: [String]) throws(CommandFailure) {
        guard !roots.isEmpty else { return }
        for word in words {
            for text in [word] + attachedValues(in: word) {
                for root in roots where CommandShape.below(root).accepts(text, in: rule.workingDirectory) {
                    try check(text, below: root)
                }
            }
        }
    }

    /// What follows a flag in the same word.
    private func attachedValues(in word: String) -> [String] {
        var values: [String] = []
        for flag in rule.flags where flag.value != nil && flag.form != .separate {
            for name in flag.names where word.utf8.starts(with: name.utf8) {
                let rest = word.utf8.dropFirst(name.utf8.count)
                values.append(String(Substring(rest.first == UInt8(ascii: "=") ? rest.dropFirst() : rest)))
            }
        }
        return values
    }

    private func check(_ text: String, below root: String) throws(CommandFailure) {
        let path = text.utf8.first == UInt8(ascii: "/") ? text : "\(rule.workingDirectory ?? "")/\(text)"
        let directory: SharedDescriptor
        do throws(SystemError) {
            // Its text is what the word was compared with.
            directory = SharedDescriptor(
                try System.open(root, .pathOnly, resolve: [.noSymlinks, .noMagicLinks]))
        } catch { throw Self.refusal(error, root) }
        let length = root == "/" ? 1 : root.utf8.count + 1
        var rest = path == root ? "." : String(Substring(path.utf8.dropFirst(length)))
        while true {
            do throws(SystemError) {
                _ = try System.open(
                    rest, .pathOnly, at: directory.borrowed, resolve: [.beneath, .noMagicLinks])
                return
            } catch {
                guard error.errno == .notFound else { throw Self.refusal(error, text) }
            }
            // Something new: a symlink that leads nowhere would lead the command there.
            if (try? System.status(rest, at: directory.borrowed)) != nil {
                throw CommandFailure("'\(text)' is a symlink that leads to nothing")
            }
            guard let slash = rest.utf8.lastIndex(of: UInt8(ascii: "/")) else { return }
            rest = String(rest[..<slash])
        }
    }

    private static func refusal(_ error: SystemError, _ path: String) -> CommandFailure {
        switch error.errno {
        case .crossDevice: CommandFailure("'\(path)' leads out of the directory that it is allowed below")
        case .symlinkLoop: CommandFailure("a symlink is on the way to '\(path)'")
        default: CommandFailure(error, path)
        }
    }
}
