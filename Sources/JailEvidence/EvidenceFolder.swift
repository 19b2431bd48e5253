package import JailCore

/// Evidence while it is gathered: parts in a directory of this user's own, packed and sealed at the end.
///
/// What is copied was made by the jail, and is only ever read: nothing of it is followed, opened as anything but a regular
/// file, executed or believed.
package final class EvidenceFolder {
    private let evidence: SharedDescriptor
    private let folder: SharedDescriptor
    private let name: String
    private let limits: EvidenceLimits
    private var parts: [String] = []
    /// For people: what is missing, and why.
    private var notes: [String] = []

    private var hiddenName: String { ".\(name)" }
    private var archiveName: String { Self.archive(name) }
    package static func archive(_ name: String) -> String { "\(name).tar.zst" }

    /// - Parameters:
    ///   - directory: `evidence` of clawjail's state directory, which must be there; made below it with mode 0700.
    ///   - name: of the archive, without its ending.
    package init(in state: String, name: String, limits: EvidenceLimits = EvidenceLimits()) throws(JailError) {
        self.name = name
        self.limits = limits
        do throws(SystemError) {
            let path = "\(state)/evidence"
            do throws(SystemError) { try System.makeDirectory(path, mode: 0o700) } catch {
                guard error.errno == .exists else { throw error }
            }
            evidence = SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
            let status = try System.status(of: evidence.borrowed)
            guard status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
                throw SystemError(.check, .accessDenied)
            }
            try System.makeDirectory(".\(name)", mode: 0o700, at: evidence.borrowed)
            folder = SharedDescriptor(
                try System.open(".\(name)", [.readOnly, .directory, .noFollow], at: evidence.borrowed))
        } catch {
            throw JailError(.lockdown, error, path: "\(state)/evidence/\(name)")
        }
    }

    /// Removes everything that has been gathered, sealed or not: only parts that this made are here.
    package func discard() {
        for part in parts { try? System.unlink(part, at: folder.borrowed) }
        try? System.unlink(hiddenName, at: evidence.borrowed, isDirectory: true)
    }

    package func note(_ text: String) { notes.append(text.printable) }

    // MARK: Parts

    private func create(_ part: String) throws(SystemError) -> SharedDescriptor {
        parts.append(part)
        return SharedDescriptor(
            try System.open(
                part, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600, at: folder.borrowed))
    }

    package func add(_ part: String, _ bytes: [UInt8]) throws(JailError) {
        try attempt(.lockdown, part) { () throws(SystemError) in
            let file = try create(part)
            try withExtendedLifetime(file) { () throws(SystemError) in try System.writeAll(file.borrowed, bytes) }
        }
    }

    package func add(_ part: String, _ value: JSON) throws(JailError) {
        try add(part, Array((value.text(pretty: true) + "\n").utf8))
    }

    /// Copies a regular file of clawjail's own; one that is not there is none.
    package func add(_ part: String, copying path: String) throws(JailError) {
        let source: SharedDescriptor
        do throws(SystemError) {
            source = SharedDescriptor(
                try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal]))
        } catch {
            if error.errno == .notFound { return }
            throw JailError(.lockdown, error, path: path)
        }
        try attempt(.lockdown, path) { () throws(SystemError) in
            let target = try create(part)
            try withExtendedLifetime((source, target)) { () throws(SystemError) in
                try copy(source.borrowed, to: target.borrowed)
            }
        }
    }

    private func copy(_ source: Descriptor, to target: Descriptor) throws(SystemError) {
        guard try System.status(of: source).kind == .regular else { throw SystemError(.check, .invalid) }
        var size: UInt64 = 0
        while true {
            let bytes = try System.read(source, most: 1 << 18)
            if bytes.isEmpty { return }
            size += UInt64(bytes.count)
            guard size <= limits.bytes else { throw SystemError(.read, .tooLarge) }
            try System.writeAll(target, bytes)
        }
    }

    /// Copies a tree as a compressed archive: names, ids, modes, times, links as links; holes stay holes; FIFOs and devices are
    /// named, and not opened. What this user may not read is noted.
    package func add(_ part: String, treeAt directory: Descriptor) throws(JailError) {
        let tar = [
            "--create", "--file=-", "--format=gnu", "--sparse", "--hole-detection=seek", "--one-file-system",
            "--numeric-owner", "--ignore-failed-read", "--quoting-style=escape", ".",
        ]
        try settle(directory)
        let file = try attempt(.lockdown, part) { () throws(SystemError) in try create(part) }
        let said = try withExtendedLifetime(file) { () throws(JailError) in
            try pack(tar, from: directory, to: file.borrowed)
        }
        if !said.isEmpty { note("\(part): \(said)") }
    }

    /// A file that was written just now has no blocks yet, and tar would take it for one hole.
    private func settle(_ directory: Descriptor) throws(JailError) {
        let null = try attempt(.lockdown) { () throws(SystemError) in try System.open("/dev/null", .readWrite) }
        let tool = try Tool.start(
            Tool.sync, ["--file-system", "."], in: directory,
            streams: [null.borrowed, null.borrowed, null.borrowed])
        guard try Tool.wait([tool], limits: limits) == [0] else {
            throw JailError(.lockdown, operation: "sync", reason: "the files could not be written to their disk")
        }
    }

    /// - Returns: what tar had to say, for people.
    private func pack(
        _ arguments: [String], from directory: Descriptor, to file: Descriptor
    ) throws(JailError) -> String {
        let pipe = try attempt(.lockdown) { () throws(SystemError) in try System.pipe().release() }
        let reading = SharedDescriptor(OwnedDescriptor(pipe.readEnd))
        let writing = SharedDescriptor(OwnedDescriptor(pipe.writeEnd))
        let (errors, null) = try attempt(.lockdown) { () throws(SystemError) in
            (
                SharedDescriptor(try System.makeMemoryFile("errors", [], sealed: false)),
                SharedDescriptor(try System.open("/dev/null", .readWrite))
            )
        }
        return try withExtendedLifetime((reading, writing, errors, null)) { () throws(JailError) in
            let compressor = try Tool.start(
                Tool.zstd, ["-q", "-3", "-c"], in: folder.borrowed,
                streams: [reading.borrowed, file, errors.borrowed])
            let packer: Tool.Started
            do throws(JailError) {
                packer = try Tool.start(
                    Tool.tar, arguments, in: directory, streams: [null.borrowed, writing.borrowed, errors.borrowed])
            } catch {
                _ = writing.take()
                _ = try? Tool.wait([compressor], limits: limits)
                throw error
            }
            // Who holds the ends of a pipe keeps the others from seeing its end.
            _ = reading.take()
            _ = writing.take()
            let statuses = try Tool.wait([packer, compressor], output: file, limits: limits)
            let said = Self.head(of: errors.borrowed)
            // 1: something has changed meanwhile, as the logs of the living do.
            guard statuses.count == 2, statuses[0] <= 1, statuses[1] == 0 else {
                throw JailError(
                    .lockdown, operation: "tar and zstd",
                    reason: "they ended with \(statuses.map { "\($0)" }.joined(separator: " and ")): \(said)")
            }
            try attempt(.lockdown) { () throws(SystemError) in try System.synchronize(file) }
            return said
        }
    }

    private static func head(of file: Descriptor) -> String {
        let bytes = (try? System.read(file, at: 0, most: 2000)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: "; ").printable
    }

    // MARK: The seal

    /// Packs all parts with a manifest of their digests, readable for this user alone, and nobody's to write.
    ///
    /// - Returns: the digest of the archive, in hexadecimal digits.
    package func seal(_ about: [(String, JSON)]) throws(JailError) -> String {
        let digests = try sums(parts, in: folder.borrowed)
        let sizes = try attempt(.lockdown) { () throws(SystemError) in
            try parts.map { (part) throws(SystemError) in try System.status(part, at: folder.borrowed).size }
        }
        let list: [JSON] = parts.indices.map { index in
            [
                "name": .string(parts[index]), "bytes": .number(sizes[index]), "sha256": .string(digests[index]),
            ]
        }
        try add("manifest.json", .object(about + [("notes", .strings(notes)), ("parts", .array(list))]))
        let temporary = ".\(archiveName)"
        do throws(JailError) {
            let file = try attempt(.lockdown, archiveName) { () throws(SystemError) in
                SharedDescriptor(
                    try System.open(
                        temporary, [.readWrite, .create, .exclusive, .noFollow], mode: 0o400, at: evidence.borrowed))
            }
            _ = try withExtendedLifetime(file) { () throws(JailError) in
                try pack(
                    [
                        "--create", "--file=-", "--format=gnu", "--sort=name", "--numeric-owner",
                        "--transform=s,^\\./,\(name)/,", ".",
                    ],
                    from: folder.borrowed, to: file.borrowed)
            }
            let digest = try sums([temporary], in: evidence.borrowed)[0]
            try attempt(.lockdown, archiveName) { () throws(SystemError) in
                try System.rename(temporary, to: archiveName, at: evidence.borrowed)
                try System.synchronize(evidence.borrowed)
            }
            return digest
        } catch {
            try? System.unlink(temporary, at: evidence.borrowed)
            throw error
        }
    }

    /// SHA-256 of files, in order.
    private func sums(_ files: [String], in directory: Descriptor) throws(JailError) -> [String] {
        if files.isEmpty { return [] }
        let (output, null) = try attempt(.lockdown) { () throws(SystemError) in
            (
                SharedDescriptor(try System.makeMemoryFile("sums", [], sealed: false)),
                SharedDescriptor(try System.open("/dev/null", .readWrite))
            )
        }
        let tool = try withExtendedLifetime((output, null)) { () throws(JailError) in
            try Tool.start(
                Tool.sum, ["--binary", "--"] + files, in: directory,
                streams: [null.borrowed, output.borrowed, output.borrowed])
        }
        let status = try Tool.wait([tool], limits: limits)
        let text = try attempt(.lockdown) { () throws(SystemError) in
            try withExtendedLifetime(output) { () throws(SystemError) in
                String(decoding: try System.readContent(output.borrowed, limit: 1 << 20), as: UTF8.self)
            }
        }
        let lines = text.split(separator: "\n").map(String.init)
        guard status == [0], lines.count == files.count else {
            throw JailError(.lockdown, operation: "sha256sum", reason: text.printable)
        }
        return try zip(lines, files).map { (line, file) throws(JailError) in
            guard line.utf8.count == 66 + file.utf8.count, line.hasSuffix(" *\(file)") else {
                throw JailError(.lockdown, operation: "sha256sum", path: file, reason: line.printable)
            }
            return String(line.prefix(64))
        }
    }
}
