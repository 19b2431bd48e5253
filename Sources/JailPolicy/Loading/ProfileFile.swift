internal import JailCore

/// One profile file, read and parsed, its parents not yet merged in.
struct ProfileFile {
    let name: String
    let path: String
    /// Tells a file from another whatever symlinks lead to it.
    let identity: FileIdentity
    let content: JSON5Value

    static let suffix = ".json5"

    /// Reads the file, or says nil if there is none. `label` is what errors about its content call it.
    static func read(
        path: String, name: String, label: String, owners: [UInt32]
    ) throws(JailError) -> ProfileFile? {
        let descriptor: OwnedDescriptor
        do throws(SystemError) {
            // Non-blocking: opening a FIFO must not wait for a writer.
            descriptor = try System.open(path, [.readOnly, .nonBlocking, .noControllingTerminal])
        } catch {
            if error.errno == .notFound || error.errno == .notDirectory { return nil }
            throw JailError(.profile, error, path: path)
        }
        // From here on only the opened file counts: what was checked is what is read.
        let (identity, bytes) = try readChecked(descriptor.borrowed, path: path, owners: owners)
        do throws(JSON5Error) {
            let content = try JSON5Reader.read(bytes, file: label)
            return ProfileFile(name: name, path: path, identity: identity, content: content)
        } catch {
            throw JailError(.profile, operation: error.position.description.printable, reason: error.reason)
        }
    }

    private static func readChecked(
        _ descriptor: Descriptor, path: String, owners: [UInt32]
    ) throws(JailError) -> (FileIdentity, [UInt8]) {
        let status: FileStatus
        do throws(SystemError) {
            status = try System.status(of: descriptor)
        } catch {
            throw JailError(.profile, error, path: path)
        }
        try check(status, path: path, owners: owners)
        do throws(SystemError) {
            // A file that grows while it is read ends with the kernel's EFBIG.
            return (status.identity, try System.readAll(descriptor, limit: JSON5Reader.sizeLimit))
        } catch {
            throw JailError(.profile, error, path: path)
        }
    }

    /// A profile grants rights, so nobody else may be able to write it.
    private static func check(_ status: FileStatus, path: String, owners: [UInt32]) throws(JailError) {
        guard status.kind == .regular else { throw JailError(.profile, path: path, reason: "is no regular file") }
        guard owners.contains(status.uid) else {
            throw JailError(
                .profile, path: path, reason: "belongs to user \(status.uid), who could change what it allows",
                hint: "make it yours or root's: sudo chown root \(path.shellQuoted)")
        }
        guard status.permissions & 0o022 == 0 else {
            throw JailError(
                .profile, path: path,
                reason: "may be written by others than its owner (mode 0\(String(status.permissions, radix: 8)))",
                hint: "chmod go-w \(path.shellQuoted)")
        }
        guard status.size <= UInt64(JSON5Reader.sizeLimit) else {
            throw JailError(.profile, path: path, reason: "is longer than 1 MiB")
        }
    }
}

extension String {
    /// As a POSIX shell takes it as one word.
    package var shellQuoted: String {
        let isPlain = !utf8.isEmpty && utf8.allSatisfy { Name.isWord($0) || "/.-+,:@%".utf8.contains($0) }
        guard !isPlain else { return self }
        var quoted = "'"
        for scalar in unicodeScalars {
            if scalar == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(scalar) }
        }
        return (quoted + "'").printable
    }
}
