internal import Glibc
import JailCore
import JailPolicy

/// A profile of the host's own or the user's, which extends a rung of the ladder: what `promote` and `demote` change.
struct OwnProfile {
    let name: String
    let path: String
    let text: [UInt8]
    /// The rung that it extends.
    let rung: String
    let ladder: ProfileLadder

    init(_ name: String) throws(JailError) {
        let directories = try Invocation.profileDirectories()
        ladder = try ProfileLadder(
            ProfileLoader(directories: Array(directories.suffix(1)), owners: [0, System.effectiveUserID], home: nil))
        // As a launch reads it: owner, mode, and everything in it.
        let loaded = try Invocation.loader().load(name)
        guard let path = loaded.files.last, !name.contains("/"), directories.dropLast().contains(path.parentPath) else {
            throw JailError(
                .profile,
                reason: "'\(name.printable)' is no profile of your own, and the shipped ones stay as they are",
                hint:
                    "write \(directories[0])/NAME.json5: { extends: \"\(loaded.name)\" }, and start it with --profile NAME"
            )
        }
        self.name = name
        self.path = path
        text = try attempt(.profile, path) { () throws(SystemError) in try System.readFile(path, resolve: .noSymlinks) }
        guard let rung = try ProfileExtends.name(in: text, file: path), ladder.isRung(rung) else {
            throw JailError(
                .profile, path: path, reason: "it extends no rung of the ladder",
                hint: "the one that it extends is the one to move")
        }
        self.rung = rung
    }

    /// The same on another rung, in a file of its own beside it that nobody loads by name yet.
    func draft(on new: String) throws(JailError) -> Draft {
        try Draft(path: path, text: ProfileExtends.replacing(in: text, file: path, with: new))
    }

    /// Goes away with the last use, unless it has taken the profile's place. Readers see the one or the other, also after a
    /// power cut.
    final class Draft {
        let path: String
        private let target: String

        init(path target: String, text: [UInt8]) throws(JailError) {
            // Not below /tmp: on the same file system, where only who may change the profile can put anything. And in a
            // directory of its own, since a profile's name is its file's.
            let directory = "\(target.parentPath)/.\(try Invocation.randomName("move"))"
            let path = directory + target.dropFirst(target.parentPath.utf8.count)
            self.path = path
            self.target = target
            try attempt(.profile, target) { () throws(SystemError) in
                try System.makeDirectory(directory, mode: 0o700)
                let file = try System.open(path, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
                try System.writeAll(file.borrowed, text)
                try System.changeMode(path, try System.status(target).permissions)
                try System.synchronize(file.borrowed)
            }
        }

        deinit {
            try? System.unlink(path)
            try? System.unlink(path.parentPath, isDirectory: true)
        }

        /// - Parameter old: what stands there; anything else has been written meanwhile, and is kept.
        func takePlace(of old: [UInt8]) throws(JailError) {
            try attempt(.profile, target) { () throws(SystemError) in
                guard try System.readFile(target) == old else { throw SystemError(.read, Errno(ESTALE)) }
                try System.rename(path, to: target)
                let above = try System.open(target.parentPath, [.readOnly, .directory])
                try System.synchronize(above.borrowed)
            }
        }
    }
}
