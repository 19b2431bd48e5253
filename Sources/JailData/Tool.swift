internal import JailCore

/// Programs of the host that do the work. From the system's own directories, whatever the caller's PATH says: nothing that
/// its environment names is executed.
package enum Tool: String, CaseIterable, Sendable {
    case tar, zstd, gzip, sha256sum, chmod, find, diff

    private static let directories = ["/usr/bin", "/bin"]

    /// nil: this host does not have it.
    package var path: String? {
        Self.directories.map { "\($0)/\(rawValue)" }.first { System.mayAccess($0, 1) }
    }

    func found() throws(JailError) -> String {
        guard let path else {
            throw JailError(
                .data, reason: "there is no '\(rawValue)' in \(Self.directories.joined(separator: " or "))",
                hint: "install it", status: ExitStatus.configuration)
        }
        return path
    }
}

/// How an archive is packed.
package enum Compression: String, CaseIterable, Sendable {
    case zstd, gzip

    /// zstd where the host has it.
    static var best: Compression { Tool.zstd.path == nil ? .gzip : .zstd }

    var suffix: String { self == .zstd ? "tar.zst" : "tar.gz" }

    var tool: Tool { self == .zstd ? .zstd : .gzip }

    var packing: [String] { self == .zstd ? ["-q", "-c", "-3"] : ["-c", "-n"] }

    var unpacking: [String] { self == .zstd ? ["-q", "-d", "-c"] : ["-d", "-c"] }
}
