package import JailCore
internal import JailPolicy

/// What is known of a snapshot: a file beside its archive.
package struct SnapshotManifest: Equatable, Sendable {
    static let formatVersion: Int64 = 1

    /// When it was made, and at the end of a name of a file.
    package var id: String
    package var jail: String
    /// nil: nobody said.
    package var profile: String?
    /// Seconds since 1970.
    package var time: Int64
    package var compression: Compression
    /// Of the file, in bytes.
    package var size: UInt64
    package var checksum: String
    /// Bytes of the archive when it is not compressed.
    package var count: UInt64
    /// Why this may not be what any one moment has seen; nil: it is.
    package var inconsistency: String?
    /// Why it was made; nil: because somebody asked for it.
    package var reason: String?

    package var isConsistent: Bool { inconsistency == nil }
    /// From the oldest to the newest. Those of one second are numbered: the tenth comes after the second.
    var order: (Int64, Int, String) { (time, id.utf8.count, id) }

    package var archiveName: String { "\(id).\(compression.suffix)" }
    var fileName: String { id + Self.suffix }

    static let suffix = ".json"

    package var json: JSON {
        [
            "version": .integer(Self.formatVersion), "id": .string(id), "jail": .string(jail),
            "profile": .optional(profile), "time": .integer(time), "compression": .string(compression.rawValue),
            "size": .number(size), "sha256": .string(checksum), "archive": .number(count),
            "consistent": .boolean(isConsistent), "inconsistency": .optional(inconsistency),
            "reason": .optional(reason),
        ]
    }

    package init(
        id: String, jail: String, profile: String?, time: Int64, compression: Compression, size: UInt64,
        checksum: String, count: UInt64, inconsistency: String?, reason: String?
    ) {
        self.id = id
        self.jail = jail
        self.profile = profile
        self.time = time
        self.compression = compression
        self.size = size
        self.checksum = checksum
        self.count = count
        self.inconsistency = inconsistency
        self.reason = reason
    }

    /// nil: no manifest, or not the one of this snapshot: what it says is not believed in parts.
    package init?(_ bytes: [UInt8], id: String, jail: String) {
        guard let value = try? JSON5Reader.read(bytes, file: ""), case .object = value.content,
            Self.integer(value["version"]) == Self.formatVersion, Self.string(value["id"]) == id,
            Self.string(value["jail"]) == jail, let time = Self.integer(value["time"]), time >= 0,
            let compression = Self.string(value["compression"]).flatMap(Compression.init(rawValue:)),
            let size = Self.integer(value["size"]).flatMap({ UInt64(exactly: $0) }),
            let count = Self.integer(value["archive"]).flatMap({ UInt64(exactly: $0) }),
            let checksum = Self.string(value["sha256"]), Self.isChecksum(checksum)
        else { return nil }
        self.init(
            id: id, jail: jail, profile: Self.string(value["profile"]), time: time, compression: compression,
            size: size, checksum: checksum, count: count, inconsistency: Self.string(value["inconsistency"]),
            reason: Self.string(value["reason"]))
    }

    /// SHA-256 in hexadecimal digits, as sha256sum(1) writes it.
    static func isChecksum(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// What can be the name of a snapshot: digits, `T`, `Z` and `-`.
    package static func isID(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || [0x54, 0x5A, 0x2D].contains($0) }
    }

    private static func string(_ value: JSON5Value?) -> String? {
        if case .string(let text)? = value?.content { text } else { nil }
    }

    private static func integer(_ value: JSON5Value?) -> Int64? {
        if case .number(let number)? = value?.content { number.integer } else { nil }
    }
}
