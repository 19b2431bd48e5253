/// Reads the presentation language of TLS (RFC 8446, 3): numbers, and vectors with their length before them. Never reads
/// past the end; what does not fit names the field.
struct VectorReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func bytes(_ count: Int, _ field: @autoclosure () -> String) throws(ClientHelloRefusal) -> ArraySlice<
        UInt8
    > {
        guard rest.count >= count else { throw .malformed(field()) }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number8(_ field: @autoclosure () -> String) throws(ClientHelloRefusal) -> Int {
        try bytes(1, field()).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func number16(_ field: @autoclosure () -> String) throws(ClientHelloRefusal) -> UInt16 {
        try bytes(2, field()).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func vector8(_ field: @autoclosure () -> String) throws(ClientHelloRefusal) -> ArraySlice<UInt8> {
        try bytes(number8(field()), field())
    }

    mutating func vector16(_ field: @autoclosure () -> String) throws(ClientHelloRefusal) -> ArraySlice<UInt8> {
        try bytes(Int(number16(field())), field())
    }

    func end(_ field: @autoclosure () -> String) throws(ClientHelloRefusal) {
        guard rest.isEmpty else { throw .malformed("bytes after \(field())") }
    }
}
