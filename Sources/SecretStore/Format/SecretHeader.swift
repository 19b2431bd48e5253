/// What stands in front of the sealed values, for everybody to read who may read the file. Both values are bound to every
/// byte of it.
package struct SecretHeader: Equatable, Sendable {
    package let name: String
    /// Of the key that it was sealed with.
    package let key: StoreKeyID
    /// Random, another one for each time that the file is written: parts of two files do not fit together.
    let generation: [UInt8]
    /// Seconds since the epoch.
    package let created: Int64
    /// When the value was replaced last.
    package let rotated: Int64?
    /// Until when the value before counts as well; nil: there is none.
    package let graceEnd: Int64?

    static let generationSize = 16
    static let version: UInt8 = 1
    private static let magic = Array("clawjail secret\n".utf8)
    /// Later than that, it is no time.
    private static let mostSeconds: Int64 = 1 << 40
    /// The most that a header takes.
    static let mostBytes = 16 + 1 + 1 + SecretName.mostBytes + StoreKeyID.size + generationSize + 3 * 8

    init(
        name: String, key: StoreKeyID, generation: [UInt8], created: Int64, rotated: Int64? = nil,
        graceEnd: Int64? = nil
    ) {
        self.name = name
        self.key = key
        self.generation = generation
        self.created = Self.clamped(created)
        self.rotated = rotated.map(Self.clamped)
        self.graceEnd = graceEnd.map(Self.clamped)
    }

    /// 0 stands for nothing.
    private static func clamped(_ seconds: Int64) -> Int64 { max(1, min(seconds, mostSeconds)) }

    var bytes: [UInt8] {
        var bytes = Self.magic + [Self.version, UInt8(clamping: name.utf8.count)]
        bytes += name.utf8
        bytes += key.bytes
        bytes += generation
        for time in [created, rotated ?? 0, graceEnd ?? 0] { bytes += UInt64(time).bigEndianBytes }
        return bytes
    }

    /// Reads one from the beginning of a file.
    init(_ reader: inout SealedReader) throws(SealedFailure) {
        guard try reader.take(Self.magic.count) == Self.magic[...] else { throw .notASecret }
        let version = try reader.takeByte()
        guard version == Self.version else { throw .version(version) }
        name = String(decoding: try reader.take(Int(try reader.takeByte())), as: UTF8.self)
        guard SecretName.isValid(name) else { throw .notASecret }
        key = StoreKeyID(bytes: Array(try reader.take(StoreKeyID.size)))
        generation = Array(try reader.take(Self.generationSize))
        created = try Self.time(&reader)
        let rotated = try Self.time(&reader)
        let graceEnd = try Self.time(&reader)
        guard created > 0, rotated > 0 || graceEnd == 0 else { throw .notASecret }
        self.rotated = rotated > 0 ? rotated : nil
        self.graceEnd = graceEnd > 0 ? graceEnd : nil
    }

    private static func time(_ reader: inout SealedReader) throws(SealedFailure) -> Int64 {
        let value = try reader.take(8).reduce(0) { $0 << 8 | UInt64($1) }
        guard value <= UInt64(mostSeconds) else { throw .notASecret }
        return Int64(value)
    }
}

/// Takes a file apart, and never reads beyond its end.
struct SealedReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) throws(SealedFailure) -> ArraySlice<UInt8> {
        guard count >= 0, count <= rest.count else { throw .cutOff }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func takeByte() throws(SealedFailure) -> UInt8 {
        guard let byte = try take(1).first else { throw .cutOff }
        return byte
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    var bigEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}

/// Why a file is not the secret that it should be.
package enum SealedFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case notASecret
    case version(UInt8)
    case cutOff
    case tooLong
    case otherName(String)
    case otherKey(StoreKeyID)
    /// Something in it is other than it was when it was sealed.
    case changed
    /// There is no memory for it.
    case noMemory

    package var description: String {
        switch self {
        case .notASecret: "this is no sealed secret"
        case .version(let version): "it has format \(version), and this clawjail knows 1"
        case .cutOff: "it is cut off"
        case .tooLong: "something stands after its end"
        case .otherName(let name): "it was sealed as '\(name)', and somebody has given it another name"
        case .otherKey(let id): "it was sealed with another key, whose id is \(id)"
        case .noMemory: "there is no memory for it"
        case .changed: "it was changed after it had been sealed"
        }
    }
}
