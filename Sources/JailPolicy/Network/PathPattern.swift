/// Paths that a rule names: `*` stands for any characters within a segment (for at least one if it is all of the
/// segment), `**` for any number of whole segments, also none, and `\*` for the character itself.
///
/// An empty segment, as in `a//b`, is matched by `**` or by itself: servers that take repeated slashes for one see a
/// path that the pattern matches as well.
package struct PathPattern: Hashable, Sendable {
    package let text: String
    let segments: [PathSegment]

    /// The pattern must be canonical: what a request's path can be.
    package init?(_ text: String) {
        guard let first = text.utf8.first, first == UInt8(ascii: "/"), text.utf8.count <= 4096 else { return nil }
        var segments: [PathSegment] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let segment = PathSegment(part) else { return nil }
            segments.append(segment)
        }
        // Without its escapes a pattern is a path itself, where `*` is a character as any other.
        let plain = text.utf8.filter { $0 != UInt8(ascii: "\\") }
        guard let canonical = CanonicalPath(target: Array(plain)), canonical.query == nil,
            canonical.path.utf8.elementsEqual(plain)
        else { return nil }
        self.text = text
        self.segments = segments
    }

    /// The one path, and no other.
    package init(matching path: CanonicalPath) {
        let parts = path.path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        segments = parts.map { .characters($0.map(PathCharacter.one)) }
        text = path.path.split(separator: "*", omittingEmptySubsequences: false).joined(separator: "\\*")
    }

    private init(text: String, segments: [PathSegment]) {
        self.text = text
        self.segments = segments
    }

    package static func == (left: PathPattern, right: PathPattern) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    package static func parse(_ text: String) throws(ValueError) -> PathPattern {
        if let pattern = PathPattern(text) { return pattern }
        let canonical = CanonicalPath(target: text)
        throw ValueError(
            expected: "a path such as \"/v1/messages\", \"/v1/*/files\" or \"/v1/**\" in its canonical form",
            found: text,
            hint: canonical.flatMap {
                $0.query == nil ? "its canonical form is \"\($0.path)\"" : "a query is not matched"
            })
    }

    package func matches(_ path: CanonicalPath) -> Bool { matches(PathForm(path)) }

    func matches(_ form: PathForm) -> Bool {
        Wildcards.match(
            segments, form.segments, isStar: { $0 == .anySegments }, matches: { $0.matches($1) })
    }

    /// What is compared with ``PathForm/lenient(_:)``: the pattern in lower case, with and without its encodings.
    var lenient: [PathPattern] {
        let folded = segments.map(\.folded)
        let decoded = folded.map(\.decoded)
        return [PathPattern(text: text, segments: folded)]
            + (decoded == folded ? [] : [PathPattern(text: text, segments: decoded)])
    }

    /// `/**`.
    static let everything = PathPattern(text: "/**", segments: [.anySegments])

    /// Whether every path of the other pattern is one of this, as far as can be seen from the texts.
    func covers(_ other: PathPattern) -> Bool {
        Wildcards.match(segments, other.segments, isStar: { $0 == .anySegments }, matches: { $0.covers($1) })
    }
}

enum PathCharacter: Hashable, Sendable {
    case one(UInt8)
    case star
}

enum PathSegment: Hashable, Sendable {
    case anySegments
    case characters([PathCharacter])

    init?(_ text: Substring.UTF8View) { self.init(Array(text)) }

    private init?(_ bytes: [UInt8]) {
        if bytes == Array("**".utf8) {
            self = .anySegments
            return
        }
        var characters: [PathCharacter] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\") {
                guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "*") else { return nil }
                characters.append(.one(UInt8(ascii: "*")))
                index += 2
            } else {
                let isStar = bytes[index] == UInt8(ascii: "*")
                // Two of them within a segment: whoever wrote it meant something else.
                if isStar, characters.last == .star { return nil }
                characters.append(isStar ? .star : .one(bytes[index]))
                index += 1
            }
        }
        self = .characters(characters)
    }

    func matches(_ segment: [UInt8]) -> Bool {
        guard case .characters(let characters) = self else { return false }
        if characters == [.star], segment.isEmpty { return false }
        return Wildcards.match(characters, segment, isStar: { $0 == .star }, matches: { $0 == .one($1) })
    }

    var folded: PathSegment {
        guard case .characters(let characters) = self else { return self }
        return .characters(
            characters.map { if case .one(let byte) = $0, Name.isUpper(byte) { .one(byte | 0x20) } else { $0 } })
    }

    /// With percent-encodings replaced by the bytes that they stand for, in lower case.
    var decoded: PathSegment {
        guard case .characters(let characters) = self else { return self }
        var rest = characters[...]
        var output: [PathCharacter] = []
        while let character = rest.popFirst() {
            if character == .one(UInt8(ascii: "%")), case .one(let high)? = rest.first,
                case .one(let low)? = rest.dropFirst().first, let top = high.hexValue, let bottom = low.hexValue
            {
                output.append(.one(top << 4 | bottom))
                rest = rest.dropFirst(2)
            } else {
                output.append(character)
            }
        }
        return PathSegment.characters(output).folded
    }

    func covers(_ other: PathSegment) -> Bool {
        guard case .characters(let characters) = self, case .characters(let others) = other else { return false }
        if characters == [.star], others.isEmpty { return false }
        return Wildcards.match(characters, others, isStar: { $0 == .star }, matches: { $0 != .star && $0 == $1 })
    }
}

/// Matching with one kind of wildcard, in time proportional to the product of the lengths.
enum Wildcards {
    static func match<Pattern, Element>(
        _ pattern: [Pattern], _ text: [Element], isStar: (Pattern) -> Bool, matches: (Pattern, Element) -> Bool
    ) -> Bool {
        var (inPattern, inText) = (0, 0)
        // Where the last wildcard stands, and how far it reaches. An earlier one need never reach farther.
        var (star, reached) = (-1, 0)
        while inText < text.count {
            if inPattern < pattern.count, isStar(pattern[inPattern]) {
                (star, reached) = (inPattern, inText)
                inPattern += 1
            } else if inPattern < pattern.count, matches(pattern[inPattern], text[inText]) {
                inPattern += 1
                inText += 1
            } else {
                guard star >= 0 else { return false }
                reached += 1
                (inPattern, inText) = (star + 1, reached)
            }
        }
        return pattern[inPattern...].allSatisfy(isStar)
    }
}
