/// What whoever has asked for a command is told. Any number of none, one ``accepted`` and one of the others, which is the end.
package enum CommandAnswer: Equatable, Sendable {
    /// It has been started.
    case accepted
    /// Its exit status, 128 and the signal's number for one that was killed. `note`: what is to be read besides.
    case ended(status: UInt8, note: String?)
    /// It was not started. `remedy`: what would allow it.
    case refused(status: UInt8, reason: String, remedy: String?)

    /// Bytes of a text; more is cut off.
    package static let longestText = 8 << 10
    /// Bytes of a packet.
    package static let sizeLimit = 2 + 2 * (4 + longestText)

    package var bytes: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .accepted: writer.byte(1)
        case .ended(let status, let note):
            writer.byte(2)
            writer.byte(status)
            writer.text(Self.cut(note ?? ""))
        case .refused(let status, let reason, let remedy):
            writer.byte(3)
            writer.byte(status)
            writer.text(Self.cut(reason))
            writer.text(Self.cut(remedy ?? ""))
        }
        return writer.bytes
    }

    package init?(bytes: [UInt8]) {
        var reader = WireReader(bytes)
        guard bytes.count <= Self.sizeLimit, let kind = reader.byte() else { return nil }
        switch kind {
        case 1: self = .accepted
        case 2:
            guard let status = reader.byte(), let note = Self.text(&reader) else { return nil }
            self = .ended(status: status, note: note.isEmpty ? nil : note)
        case 3:
            guard let status = reader.byte(), let reason = Self.text(&reader), let remedy = Self.text(&reader) else {
                return nil
            }
            self = .refused(status: status, reason: reason, remedy: remedy.isEmpty ? nil : remedy)
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
    }

    /// Not within a character.
    private static func cut(_ text: String) -> [UInt8] {
        guard text.utf8.count > longestText else { return Array(text.utf8) }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            let more = UTF8.encode(scalar).map(Array.init) ?? []
            guard bytes.count + more.count <= longestText else { break }
            bytes += more
        }
        return bytes
    }

    private static func text(_ reader: inout WireReader) -> String? {
        guard let bytes = reader.text(), bytes.count <= longestText else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
