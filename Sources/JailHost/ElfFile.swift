/// What the dynamic loader reads of an ELF file, see elf(5): which loader, which libraries, where to look for them.
///
/// Own code, because a jail shows exactly what a program needs and `ldd` would run the program to find out. All offsets
/// and counts are the file's own claims, so each is checked before use.
package struct ElfFile: Equatable, Sendable {
    /// PT_INTERP; nil in libraries and in statically linked programs.
    package var interpreter: String?
    package var isDynamic = false
    /// DT_NEEDED, in order.
    package var needed: [String] = []
    /// DT_SONAME.
    package var soname: String?
    /// DT_RPATH and DT_RUNPATH, split at `:`; `$ORIGIN` and its like are still in them.
    package var rpath: [String] = []
    package var runpath: [String] = []
    /// DF_1_NODEFLIB: the cache and the standard directories are not searched.
    package var skipsDefaultDirectories = false

    /// e_machine as elf.h numbers it.
    package enum Machine: UInt16, Sendable {
        case x86 = 3
        case arm = 40
        case x86_64 = 62
        case aarch64 = 183

        package static var host: Machine {
            #if arch(arm64)
                .aarch64
            #else
                .x86_64
            #endif
        }
    }

    /// Far more than any real program has, and few enough to be read at once.
    private static let mostSegments = 256
    private static let mostDynamicBytes = 1 << 16
    private static let mostNeeded = 512
    private static let headerSize = 64
    private static let segmentSize = 56

    /// Whether the bytes at the start of a file say that it is ELF.
    package static func isElf(_ start: [UInt8]) -> Bool { start.starts(with: [0x7F, 0x45, 0x4C, 0x46]) }

    /// Reads a file of this machine's own kind (64 bits, little-endian); anything else is malformed.
    package init(_ file: borrowing RandomAccess, machine: Machine = .host) throws(MalformedFile) {
        // One page holds the header, the program headers and the interpreter's name of nearly every program.
        let page = try file.readSome(at: 0, most: 4096)
        try self.init(file, start: page, machine: machine)
    }

    package init(
        _ file: borrowing RandomAccess, start: ByteReader, machine: Machine = .host
    ) throws(MalformedFile) {
        let segments = try Self.segments(file, start, machine)
        if let segment = segments.first(where: { $0.type == .interpreter }) {
            interpreter = try Self.interpreter(file, start, segment)
        }
        guard let dynamic = segments.first(where: { $0.type == .dynamic }) else { return }
        isDynamic = true
        try readDynamic(file, dynamic, segments)
    }

    private struct Segment {
        enum Kind: UInt32 {
            case load = 1
            case dynamic = 2
            case interpreter = 3
        }
        var type: Kind
        var offset: UInt64
        var address: UInt64
        var fileSize: UInt64
    }

    private static func segments(
        _ file: borrowing RandomAccess, _ start: ByteReader, _ machine: Machine
    ) throws(MalformedFile) -> [Segment] {
        guard isElf(start.bytes) else { throw MalformedFile("it is not an ELF file") }
        guard start.bytes.count >= headerSize else { throw MalformedFile("its ELF header is cut off") }
        guard start.bytes[4] == 2, start.bytes[5] == 1 else { throw MalformedFile("it is not 64-bit little-endian") }
        let kind = try start.number(at: 16, as: UInt16.self)
        guard kind == 2 || kind == 3 else { throw MalformedFile("it is neither a program nor a library") }
        guard try start.number(at: 18, as: UInt16.self) == machine.rawValue else {
            throw MalformedFile("it is for another kind of machine")
        }
        let count = Int(try start.number(at: 56, as: UInt16.self))
        guard count <= mostSegments else { throw MalformedFile("it claims \(count) program headers") }
        let entrySize = try start.number(at: 54, as: UInt16.self)
        guard count == 0 || entrySize == UInt16(segmentSize) else {
            throw MalformedFile("its program headers have an unknown size")
        }
        let table = try Self.read(
            file, start, at: try start.number(at: 32, as: UInt64.self), count: count * segmentSize)
        var result: [Segment] = []
        for index in 0..<count {
            let base = index * segmentSize
            guard let type = Segment.Kind(rawValue: try table.number(at: base)) else { continue }
            result.append(
                Segment(
                    type: type, offset: try table.number(at: base + 8), address: try table.number(at: base + 16),
                    fileSize: try table.number(at: base + 32)))
        }
        return result
    }

    private static func interpreter(
        _ file: borrowing RandomAccess, _ start: ByteReader, _ segment: Segment
    ) throws(MalformedFile) -> String {
        guard (2...4096).contains(segment.fileSize) else { throw MalformedFile("its interpreter's name is too long") }
        let bytes = try read(file, start, at: segment.offset, count: Int(segment.fileSize))
        let name = String(decoding: try bytes.name(at: 0), as: UTF8.self)
        guard name.utf8.first == 0x2F else { throw MalformedFile("its interpreter's name is not absolute") }
        return name
    }

    /// From the page that is there already, if it reaches that far.
    private static func read(
        _ file: borrowing RandomAccess, _ start: ByteReader, at offset: UInt64, count: Int
    ) throws(MalformedFile) -> ByteReader {
        if let offset = Int(exactly: offset), offset <= start.bytes.count, count <= start.bytes.count - offset {
            return ByteReader(Array(start.bytes[offset..<(offset + count)]))
        }
        return try file.read(at: offset, count: count)
    }

    /// d_tag as elf.h numbers them.
    private enum Tag {
        static let end: UInt64 = 0
        static let needed: UInt64 = 1
        static let strings: UInt64 = 5
        static let stringsSize: UInt64 = 10
        static let soname: UInt64 = 14
        static let rpath: UInt64 = 15
        static let runpath: UInt64 = 29
        static let flags1: UInt64 = 0x6fff_fffb
        static let noDefaultLibraries: UInt64 = 0x800
    }

    private mutating func readDynamic(
        _ file: borrowing RandomAccess, _ segment: Segment, _ segments: [Segment]
    ) throws(MalformedFile) {
        guard segment.fileSize <= UInt64(Self.mostDynamicBytes) else {
            throw MalformedFile("its dynamic section claims \(segment.fileSize) bytes")
        }
        let table = try file.read(at: segment.offset, count: Int(segment.fileSize))
        var names: [(tag: UInt64, offset: UInt64)] = []
        var strings: UInt64?
        var stringsSize: UInt64 = 0
        for entry in 0..<(table.bytes.count / 16) {
            let tag = try table.number(at: entry * 16, as: UInt64.self)
            let value = try table.number(at: entry * 16 + 8, as: UInt64.self)
            if tag == Tag.end { break }
            switch tag {
            case Tag.needed, Tag.soname, Tag.rpath, Tag.runpath: names.append((tag, value))
            case Tag.strings: strings = value
            case Tag.stringsSize: stringsSize = value
            case Tag.flags1: skipsDefaultDirectories = value & Tag.noDefaultLibraries != 0
            default: break
            }
        }
        guard !names.isEmpty else { return }
        guard names.count <= Self.mostNeeded else { throw MalformedFile("it claims to need \(names.count) libraries") }
        guard let strings else { throw MalformedFile("its dynamic section has no string table") }
        let base = try Self.fileOffset(of: strings, segments)
        // The linker puts these names side by side: one read has them all, out of a table of perhaps many megabytes.
        let first = names.map(\.offset).min() ?? 0
        let block = try file.readSome(at: try Self.sum(base, first), most: 2048)
        for (tag, offset) in names {
            guard offset < stringsSize else { throw MalformedFile("a name lies outside of its string table") }
            let most = stringsSize - offset
            let distance = offset - first
            if distance < 1024, let name = try? block.name(at: Int(distance), limit: Int(min(most, 1024))) {
                keep(String(decoding: name, as: UTF8.self), for: tag)
            } else {
                let long = try file.readSome(at: try Self.sum(base, offset), most: Int(min(most, 16384)))
                keep(String(decoding: try long.name(at: 0, limit: 16384), as: UTF8.self), for: tag)
            }
        }
        // A RUNPATH makes the loader ignore the RPATH beside it.
        if !runpath.isEmpty { rpath = [] }
    }

    private mutating func keep(_ text: String, for tag: UInt64) {
        let parts = text.split(separator: ":").map(String.init)
        switch tag {
        case Tag.needed: needed.append(text)
        case Tag.soname: soname = text
        case Tag.rpath: rpath = parts
        default: runpath = parts
        }
    }

    private static func sum(_ base: UInt64, _ offset: UInt64) throws(MalformedFile) -> UInt64 {
        let (position, overflow) = base.addingReportingOverflow(offset)
        guard !overflow else { throw MalformedFile("a name lies outside of it") }
        return position
    }

    /// Where in the file the byte lies that will be at `address` in memory.
    private static func fileOffset(of address: UInt64, _ segments: [Segment]) throws(MalformedFile) -> UInt64 {
        for segment in segments where segment.type == .load && address >= segment.address {
            let distance = address - segment.address
            guard distance < segment.fileSize else { continue }
            let (offset, overflow) = segment.offset.addingReportingOverflow(distance)
            guard !overflow else { throw MalformedFile("a segment lies outside of it") }
            return offset
        }
        throw MalformedFile("its string table lies in no segment")
    }
}
