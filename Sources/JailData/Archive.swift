internal import JailCore

/// A tree of a jail's as one file: what GNU tar makes of it, compressed. Everything in it is hostile.
enum Archive {
    struct Packed {
        /// Bytes of the archive before it was compressed.
        var count: UInt64
        /// What tar found changed while it read it; nil: nothing.
        var change: String?
    }

    /// Names are relative, and links are packed as links. Owners are numbers that nobody uses, and of permissions there are
    /// nine bits: no attribute of a file grants anything where it is unpacked.
    private static let common = ["--file=-", "--no-xattrs", "--no-acls", "--no-selinux"]
    private static let packing =
        ["--create", "--format=posix", "--sparse", "--one-file-system", "--numeric-owner"] + common + ["."]
    private static let unpacking =
        [
            "--extract", "--no-same-owner", "--no-same-permissions", "--delay-directory-restore",
            "--keep-old-files",
        ] + common

    /// Writes the archive of a tree.
    ///
    /// - Throws: if something in the tree cannot be read, or the file not be written.
    static func pack(
        _ tree: Descriptor, of owner: DataOwner, into file: Descriptor, _ compression: Compression
    ) throws(JailError) -> Packed {
        let null = try null()
        defer { withExtendedLifetime(null) {} }
        let line = HelperLine(
            first: Helper(tool: .tar, arguments: packing, owner: owner, access: .read, tree: tree),
            second: Helper(tool: compression.tool, arguments: compression.packing, owner: owner))
        let outcome = try line.run(input: null.borrowed, output: file)
        // The second's first: where the disk is full, the first one only sees a pipe that nobody reads.
        try check(outcome.second, compression.tool, outcome.said)
        // 1: something was not the same at the end of its reading as at the beginning, see tar(1).
        if outcome.first != .exited(1) { try check(outcome.first, .tar, outcome.said) }
        return Packed(count: outcome.count, change: outcome.first == .exited(1) ? outcome.said : nil)
    }

    /// Unpacks an archive into an empty directory.
    ///
    /// - Parameter count: bytes that it has when it is no longer compressed; another number is refused.
    static func unpack(
        _ file: Descriptor, _ compression: Compression, into tree: Descriptor, of owner: DataOwner, count: UInt64
    ) throws(JailError) {
        let null = try null()
        defer { withExtendedLifetime(null) {} }
        let line = HelperLine(
            first: Helper(tool: compression.tool, arguments: compression.unpacking, owner: owner),
            second: Helper(tool: .tar, arguments: unpacking, owner: owner, access: .write, tree: tree))
        let outcome = try line.run(input: file, output: null.borrowed, most: count)
        try check(outcome.second, .tar, outcome.said)
        try check(outcome.first, compression.tool, outcome.said)
        guard outcome.count == count else {
            throw JailError(.data, reason: "the archive holds \(outcome.count) bytes, and not \(count)")
        }
    }

    /// Removes what is in a tree, whatever its permissions are; the directory itself stays.
    static func clear(_ tree: Descriptor, of owner: DataOwner) throws(JailError) {
        let null = try null()
        defer { withExtendedLifetime(null) {} }
        let steps = [
            (Tool.chmod, ["-R", "--", "u+rwx", "."]), (.find, [".", "-mindepth", "1", "-delete"]),
        ]
        for (tool, arguments) in steps {
            let helper = Helper(tool: tool, arguments: arguments, owner: owner, access: .write, tree: tree)
            let (ended, said) = try helper.run(input: null.borrowed)
            try check(ended, tool, said)
        }
    }

    /// SHA-256 of a file, from where it is read now, in 64 hexadecimal digits.
    static func checksum(of file: Descriptor, for owner: DataOwner) throws(JailError) -> String {
        let helper = Helper(tool: .sha256sum, arguments: [], owner: owner)
        let (ended, said) = try helper.run(input: file)
        try check(ended, .sha256sum, said)
        let digits = String(said.prefix { $0 != " " })
        guard SnapshotManifest.isChecksum(digits) else {
            throw JailError(.data, operation: Tool.sha256sum.rawValue, reason: "it said no checksum")
        }
        return digits
    }

    private static func null() throws(JailError) -> SharedDescriptor {
        try attempt(.data, "/dev/null") { () throws(SystemError) in
            SharedDescriptor(try System.open("/dev/null", .readWrite))
        }
    }

    private static func check(_ ended: Termination, _ tool: Tool, _ said: String) throws(JailError) {
        guard ended != .exited(0) else { return }
        let how =
            switch ended {
            case .exited(let status): "it ended with status \(status)"
            case .signalled(let signal): "signal \(signal) ended it"
            }
        throw JailError(.data, operation: tool.rawValue, reason: said.isEmpty ? how : said)
    }
}
