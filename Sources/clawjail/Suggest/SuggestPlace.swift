import JailCore
import JailLearning
import JailPolicy

/// Where suggested profiles are written: the first directory in which profiles are looked for.
struct SuggestPlace {
    let directory: String
    private let loader: ProfileLoader

    init() throws(JailError) {
        loader = try Invocation.loader()
        let own = loader.directories.first ?? ""
        guard System.effectiveUserID == 0 || own != "/etc/clawjail/profiles" else {
            throw JailError(
                .profile, reason: "there is no directory for profiles of your own", hint: "set HOME or XDG_CONFIG_HOME")
        }
        directory = own
    }

    func path(_ name: String) -> String { "\(directory)/\(name).json5" }

    /// What stands there, if it was written here and nobody has edited it; nil: there is nothing.
    func existing(_ name: String) throws(JailError) -> SuggestedProfile? {
        guard let bytes = try bytes(path(name)) else {
            guard let other = loader.available().first(where: { $0.name == name }) else { return nil }
            throw JailError(
                .profile, path: other.path, reason: "a profile is called '\(name)' already", hint: "choose another name"
            )
        }
        guard let made = SuggestedProfile(bytes) else {
            throw JailError(
                .profile, path: path(name),
                reason: "it is there already, and was not made by 'profile suggest', or was edited",
                hint: "choose another name")
        }
        return made
    }

    /// Whether a profile was written here, so that it can be written anew.
    func made(_ profile: Profile) throws(JailError) -> SuggestedProfile? {
        guard profile.files.last == path(profile.name), let bytes = try bytes(path(profile.name)) else { return nil }
        return SuggestedProfile(bytes)
    }

    private func bytes(_ path: String) throws(JailError) -> [UInt8]? {
        do throws(SystemError) {
            // A link is somebody else's arrangement.
            let file = try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
            return try System.readAll(file.borrowed, limit: JSON5Reader.sizeLimit)
        } catch {
            if error.errno == .notFound || error.errno == .notDirectory { return nil }
            throw JailError(.profile, error, path: path)
        }
    }

    // MARK: Writing

    /// Held from before a profile is read until it is written anew: of two at the same time, neither is lost.
    func lock() throws(JailError) -> OwnedDescriptor {
        try attempt(.profile, directory) { () throws(SystemError) in
            try Self.makeDirectories(directory)
            let opened = try System.open(directory, [.readOnly, .directory])
            try System.lock(opened.borrowed, .exclusive)
            return opened
        }
    }

    /// Writes the profile beside its place, reads it from there as strictly as a launch would, and only then puts it there;
    /// the one before it stays as `NAME.json5.1`.
    ///
    /// - Returns: the profile as it is in force now.
    func write(_ made: SuggestedProfile, as name: String) throws(JailError) -> Profile {
        let temporary = "\(directory)/.\(try Invocation.randomName("suggest"))"
        try attempt(.profile, temporary) { () throws(SystemError) in
            try System.makeDirectory(temporary, mode: 0o700)
        }
        defer { try? System.unlink(temporary, isDirectory: true) }
        let file = "\(temporary)/\(name).json5"
        defer { try? System.unlink(file) }
        try attempt(.profile, file) { () throws(SystemError) in try Self.write(made.text, to: file) }
        let trial = ProfileLoader(
            directories: [temporary] + loader.directories, owners: loader.owners, home: loader.home)
        _ = try trial.load(name)
        try keepPrevious(name, in: temporary)
        try attempt(.profile, path(name)) { () throws(SystemError) in
            try System.rename(file, to: path(name))
            let opened = try System.open(directory, [.readOnly, .directory])
            try System.synchronize(opened.borrowed)
        }
        return try loader.load(name)
    }

    private func keepPrevious(_ name: String, in temporary: String) throws(JailError) {
        guard let bytes = try bytes(path(name)) else { return }
        let copy = "\(temporary)/\(name).json5.1"
        try attempt(.profile, copy) { () throws(SystemError) in
            try Self.write(String(decoding: bytes, as: UTF8.self), to: copy)
            try System.rename(copy, to: "\(path(name)).1")
        }
    }

    /// On the disk when this returns.
    private static func write(_ text: String, to path: String) throws(SystemError) {
        let file = try System.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
        try System.writeAll(file.borrowed, text)
        // Whatever the umask is: others read profiles, and nobody else writes them.
        try System.changeMode(path, 0o644)
        try System.synchronize(file.borrowed)
    }

    private static func makeDirectories(_ path: String) throws(SystemError) {
        guard path != "/" else { return }
        do { try System.makeDirectory(path, mode: 0o755) } catch  where error.errno == .notFound {
            try makeDirectories(path.parentPath)
            do { try System.makeDirectory(path, mode: 0o755) } catch  where error.errno == .exists {}
        } catch  where error.errno == .exists {
        }
    }
}
