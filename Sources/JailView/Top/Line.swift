/// How a piece of text looks.
package struct Style: Hashable, Sendable {
    package enum Colour: Int, Sendable { case red = 31, green, yellow, blue, magenta, cyan }

    package var colour: Colour?
    package var isBold = false
    package var isDim = false
    package var isReversed = false
    /// Of a bar, which means nothing turned around.
    var isBar = false

    static let plain = Style()
    static let bold = Style(isBold: true)
    static let dim = Style(isDim: true)
    static let heading = Style(isBold: true, isReversed: true)
    static let good = Style(colour: .green)
    static let warning = Style(colour: .yellow)
    static let bad = Style(colour: .red, isBold: true)
    static let accent = Style(colour: .cyan)
}

/// One line of a screen: pieces of text, each character one cell.
package struct Line: Equatable, Sendable {
    struct Piece: Equatable, Sendable {
        var text: String
        var style: Style
    }

    private(set) var pieces: [Piece] = []
    private(set) var width = 0

    package init() {}

    init(_ text: String, _ style: Style = .plain) { add(text, style) }

    /// Whatever the text is, what is added takes one cell for each character and moves no cursor.
    mutating func add(_ text: String, _ style: Style = .plain) {
        let cells = Self.cells(text)
        guard !cells.isEmpty else { return }
        width += cells.count
        pieces.append(Piece(text: String(String.UnicodeScalarView(cells)), style: style))
    }

    mutating func add(_ line: Line) {
        pieces += line.pieces
        width += line.width
    }

    /// Scalars that no terminal shows wider than one cell, and none that joins another: ASCII, Latin, Greek, Cyrillic, and the
    /// signs that the screen itself is drawn with. A question mark for the rest.
    private static func cells(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.map { scalar in
            switch scalar.value {
            case 0x20..<0x7F, 0xA1...0xAC, 0xAE...0x17F, 0x391...0x3C9, 0x400...0x45F: scalar
            case 0x2013, 0x2014, 0x2018...0x201D, 0x2026, 0x2190...0x2193, 0x2500...0x259F, 0x25B2, 0x25BC, 0x25CF:
                scalar
            default: "?"
            }
        }
    }

    /// Exactly so wide: cut, or filled up with spaces.
    func fitted(_ columns: Int) -> Line {
        var result = Line()
        for piece in pieces where result.width < columns {
            result.add(String(piece.text.prefix(columns - result.width)), piece.style)
        }
        if result.width < columns { result.add(String(repeating: " ", count: columns - result.width)) }
        return result
    }

    /// The line turned around, as what is selected is shown.
    var selected: Line {
        var result = Line()
        for piece in pieces {
            var style = piece.style
            style.isReversed = !style.isBar
            style.isDim = style.isBar && style.isDim
            result.add(piece.text, style)
        }
        return result
    }

    /// Without colours, and without the spaces at the end.
    package var text: String {
        let text = pieces.map(\.text).joined()
        return String(text.prefix(text.count - text.reversed().prefix { $0 == " " }.count))
    }

    /// As a terminal takes it, as wide as it is, see ECMA-48: each piece ends with the plain style.
    package func text(colours: Bool) -> String {
        guard colours else { return pieces.map(\.text).joined() }
        return pieces.map { piece in
            var codes: [Int] = []
            if piece.style.isBold { codes.append(1) }
            if piece.style.isDim { codes.append(2) }
            if piece.style.isReversed { codes.append(7) }
            if let colour = piece.style.colour { codes.append(colour.rawValue) }
            if codes.isEmpty { return piece.text }
            return "\u{1B}[\(codes.map(String.init).joined(separator: ";"))m\(piece.text)\u{1B}[0m"
        }.joined()
    }
}

extension String {
    /// Cut to so many characters, the last one a mark that something is missing.
    func clipped(_ most: Int, _ mark: String = "…") -> String {
        count <= most ? self : most < 1 ? "" : prefix(most - 1) + mark
    }

    func padded(_ width: Int) -> String {
        count >= width ? self : self + String(repeating: " ", count: width - count)
    }

    func aligned(right width: Int) -> String {
        count >= width ? self : String(repeating: " ", count: width - count) + self
    }
}
