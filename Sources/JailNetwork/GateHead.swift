/// The head of one request, read in the strictest way: what is not exactly HTTP/1.1 is nothing.
struct GateHead {
    enum Body: Equatable { case none, length(Int), chunked }

    /// Without its end.
    private var lines: [ArraySlice<UInt8>] = []
    /// Index of the line that shows the token.
    private var authorization: Int?
    /// Of `Authorization: Bearer …`; empty: it is of another kind.
    private(set) var offered: ArraySlice<UInt8>?
    private(set) var isUpgrade = false
    private(set) var body = Body.none

    private static let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]

    /// Bytes of a head with its end; nil: it has not ended.
    ///
    /// - Parameter searched: bytes in which it does not end.
    static func end(of bytes: [UInt8], from searched: Int) -> Int? {
        var start = max(0, searched - (end.count - 1))
        while start + end.count <= bytes.count {
            if bytes[start..<(start + end.count)].elementsEqual(end) { return start + end.count }
            start += 1
        }
        return nil
    }

    init(_ bytes: [UInt8]) throws(GateError) {
        var start = 0
        for index in bytes.indices.dropLast(2) where bytes[index] == 0x0D && bytes[index + 1] == 0x0A {
            lines.append(bytes[start..<index])
            start = index + 2
        }
        guard let first = lines.first, lines.joined().allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw .malformed
        }
        let method = try Self.method(first)
        var fields = Fields()
        for (index, line) in lines.enumerated().dropFirst() { try take(line, index, &fields) }
        try settle(method, fields)
    }

    /// `GET /path HTTP/1.1`: a target of one's own, and no other version, which would end requests in other ways.
    private static func method(_ line: ArraySlice<UInt8>) throws(GateError) -> String {
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, words[2].elementsEqual("HTTP/1.1".utf8), words[1].first == 0x2F,
            (1...16).contains(words[0].count), words[0].allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D })
        else { throw .malformed }
        return String(decoding: words[0], as: UTF8.self)
    }

    private struct Fields {
        var length: String?
        var coding: String?
        var upgrade: String?
        var connection = ""
    }

    private mutating func take(_ line: ArraySlice<UInt8>, _ index: Int, _ fields: inout Fields) throws(GateError) {
        guard let colon = line.firstIndex(of: 0x3A), colon != line.startIndex,
            line[..<colon].allSatisfy({ Self.isWord($0) })
        else { throw .malformed }
        let blanks: [UInt8] = [0x20, 0x09]
        var value = line[(colon + 1)...].drop { blanks.contains($0) }
        while let last = value.last, blanks.contains(last) { value.removeLast() }
        let text = Self.lowered(value)
        switch Self.lowered(line[..<colon]) {
        case "authorization":
            guard authorization == nil else { throw .malformed }
            authorization = index
            let scheme = Array("bearer ".utf8)
            offered = text.utf8.starts(with: scheme) ? value.dropFirst(scheme.count) : []
        case "content-length": try Self.set(&fields.length, text)
        case "transfer-encoding": try Self.set(&fields.coding, text)
        case "upgrade": try Self.set(&fields.upgrade, text)
        case "connection": fields.connection += "," + text
        default: break
        }
    }

    /// Twice is once too often: who counts and who is counted on could take different ones.
    private static func set(_ field: inout String?, _ value: String) throws(GateError) {
        guard field == nil else { throw .malformed }
        field = value
    }

    private mutating func settle(_ method: String, _ fields: Fields) throws(GateError) {
        switch (fields.length, fields.coding) {
        case (nil, nil): break
        case (let length?, nil):
            guard (1...15).contains(length.utf8.count), length.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let count = Int(length)
            else { throw .malformed }
            body = .length(count)
        case (nil, "chunked"): body = .chunked
        default: throw .malformed
        }
        guard let upgrade = fields.upgrade else { return }
        let asks = fields.connection.split(separator: ",").contains {
            $0.filter { $0 != " " && $0 != "\t" } == "upgrade"
        }
        guard upgrade == "websocket", method == "GET", asks, body == .none else { throw .malformed }
        isUpgrade = true
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    private static func lowered(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// As it goes on.
    func bytes(with placeholder: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, line) in lines.enumerated() {
            bytes += index == authorization ? Array("Authorization: Bearer ".utf8) + placeholder : Array(line)
            bytes += [0x0D, 0x0A]
        }
        return bytes + [0x0D, 0x0A]
    }

    /// To a client whose request goes nowhere.
    static func answer(_ refusal: TokenGate.Refusal) -> [UInt8] {
        let status =
            refusal == .malformed
            ? "400 Bad Request" : "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"clawjail\""
        return Array("HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8)
    }
}
