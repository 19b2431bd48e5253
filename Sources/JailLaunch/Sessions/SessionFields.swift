internal import JailCore

/// One packet about sessions: a word, and `key=value` fields after it, in UTF-8, each ended by a NUL byte.
///
/// There is no length or count in it that could be wrong. Whoever reads takes every key that it knows, and refuses the
/// packet if something is left.
struct SessionFields: Equatable {
    /// Bytes of a packet.
    static let sizeLimit = 64 << 10
    /// Fields of a packet.
    static let mostFields = 1024

    let word: String
    private var fields: [Field]

    private struct Field: Equatable {
        var key: String
        var value: String
    }

    init(_ word: String) {
        self.word = word
        fields = []
    }

    /// Without fields whose value is absent.
    mutating func add(_ key: String, _ value: String?) {
        if let value { fields.append(Field(key: key, value: value)) }
    }

    mutating func add(_ key: String, _ values: [String]) {
        for value in values { add(key, value) }
    }

    var bytes: [UInt8]? { bytes(most: Self.sizeLimit) }

    /// nil if it would not be read again: too much, or a NUL byte in a value.
    func bytes(most: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        for text in [word] + fields.map({ "\($0.key)=\($0.value)" }) {
            guard !text.utf8.contains(0) else { return nil }
            bytes += text.utf8
            bytes.append(0)
        }
        return bytes.count <= most && fields.count <= Self.mostFields ? bytes : nil
    }

    /// nil for what no writer of these packets makes.
    init?(_ bytes: [UInt8], most: Int = sizeLimit) {
        guard bytes.count <= most, bytes.last == 0, let text = String(validating: bytes, as: UTF8.self)
        else { return nil }
        let parts = text.utf8.dropLast().split(separator: 0, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.isEmpty, parts.count <= Self.mostFields + 1 else { return nil }
        word = String(Substring(first))
        fields = []
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")), equals != part.startIndex else { return nil }
            let value = part[part.index(after: equals)...]
            fields.append(
                Field(key: String(Substring(part[..<equals])), value: String(Substring(value))))
        }
    }

    var isEmpty: Bool { fields.isEmpty }

    /// Every value of a key, in their order; they are gone then.
    mutating func takeAll(_ key: String) -> [String] {
        let taken = fields.filter { $0.key == key }
        if !taken.isEmpty { fields.removeAll { $0.key == key } }
        return taken.map(\.value)
    }

    /// The value of a key that is there once; nil if it is absent. One that is there twice stays, and is refused with
    /// what is left.
    mutating func take(_ key: String) -> String? {
        guard fields.count(where: { $0.key == key }) == 1 else { return nil }
        return takeAll(key).first
    }
}
