import JailCore
import JailHost
import Testing

@Suite struct ElfFileTests {
    static let binaries = [
        "/usr/bin/node", "/usr/bin/git", "/usr/bin/perl", "/usr/bin/bash", "/usr/bin/python3.11",
        "/root/.pyenv/versions/3.11.7/bin/python3.11", "/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    ].filter(isThere)

    @Test(arguments: binaries) func `a real file is read as readelf reads it`(path: String) throws {
        let elf = try ElfFile(RandomAccess.opening(path))
        let dynamic = try #require(try output("/usr/bin/readelf", ["-Wd", path]))
        func values(_ tag: String) -> [String] {
            dynamic.split(separator: "\n").filter { $0.contains("(\(tag))") }.compactMap {
                $0.split(separator: "[").last?.split(separator: "]").first.map(String.init)
            }
        }
        #expect(elf.needed == values("NEEDED"))
        #expect(elf.soname == values("SONAME").first)
        #expect(elf.runpath == values("RUNPATH").flatMap { $0.split(separator: ":").map(String.init) })
        let header = try #require(try output("/usr/bin/readelf", ["-Wl", path]))
        let interpreter = header.split(separator: "\n").first { $0.contains("interpreter:") }
        #expect(
            elf.interpreter == interpreter?.split(separator: ": ").last?.split(separator: "]").first.map(String.init))
        #expect(elf.isDynamic)
    }

    @Test func `a small file is read in full`() throws {
        let elf = try parse(SmallElf().bytes)
        #expect(elf.interpreter == "/lib64/ld-linux-x86-64.so.2")
        #expect(elf.needed == ["libone.so.1", "libtwo.so.2"])
        #expect(elf.soname == "me.so")
        #expect(elf.rpath.isEmpty)
        #expect(elf.runpath == ["$ORIGIN/lib", "/opt/lib"])
    }

    @Test func `a file without RUNPATH keeps its RPATH`() throws {
        var small = SmallElf()
        small.runpathTag = 15
        let elf = try parse(small.bytes)
        #expect(elf.rpath == ["$ORIGIN/lib", "/opt/lib"])
        #expect(elf.runpath.isEmpty)
    }

    @Test func `a file cut off anywhere before its last name is refused`() throws {
        let bytes = SmallElf().bytes
        let file = try TemporaryDirectory()
        for length in 0..<bytes.count {
            let path = try file.file("elf", bytes: Array(bytes[..<length]))
            #expect(throws: MalformedFile.self, "cut off at \(length)") { _ = try ElfFile(RandomAccess.opening(path)) }
        }
    }

    @Test(arguments: SmallElf.lies) func `a lie in the headers is refused`(lie: SmallElf.Lie) throws {
        var bytes = SmallElf().bytes
        for (index, byte) in lie.bytes.enumerated() { bytes[lie.offset + index] = byte }
        #expect(throws: MalformedFile.self, "\(lie.name)") { _ = try parse(bytes) }
    }

    @Test func `no changed byte makes the parser trap`() throws {
        let bytes = SmallElf().bytes
        let file = try TemporaryDirectory()
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<4000 {
            var changed = bytes
            for _ in 0..<(1 + random(4)) {
                changed[random(changed.count)] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(random(256))][random(6)]
            }
            let path = try file.file("elf", bytes: changed)
            _ = try? ElfFile(RandomAccess.opening(path))
        }
    }

    @Test func `a file for another machine is refused`() throws {
        #expect(throws: MalformedFile("it is for another kind of machine")) {
            let file = try TemporaryDirectory()
            _ = try ElfFile(RandomAccess.opening(try file.file("elf", bytes: SmallElf().bytes)), machine: .arm)
        }
    }

    private func parse(_ bytes: [UInt8]) throws -> ElfFile {
        let directory = try TemporaryDirectory()
        return try ElfFile(RandomAccess.opening(try directory.file("elf", bytes: bytes)))
    }
}

/// The least file that has all that the parser reads.
struct SmallElf {
    var runpathTag: UInt64 = 29

    static let interpreterOffset = 64 + 3 * 56
    static let dynamicOffset = 272
    static let stringsOffset = dynamicOffset + 8 * 16
    static let address: UInt64 = 0x40_0000

    var bytes: [UInt8] {
        let strings = Array("\0libone.so.1\0libtwo.so.2\0me.so\0$ORIGIN/lib:/opt/lib\0".utf8)
        let interpreter = Array("/lib64/ld-linux-x86-64.so.2\0".utf8)
        var result: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        result += Self.little(3, 2) + Self.little(UInt64(ElfFile.Machine.host.rawValue), 2) + Self.little(1, 4)
        result += Self.little(0, 8) + Self.little(64, 8) + Self.little(0, 8) + Self.little(0, 4)
        result += Self.little(64, 2) + Self.little(56, 2) + Self.little(3, 2) + Self.little(0, 6)
        let total = UInt64(Self.stringsOffset + strings.count)
        result += Self.segment(1, 0, Self.address, total)
        result += Self.segment(3, UInt64(Self.interpreterOffset), 0, UInt64(interpreter.count))
        result += Self.segment(2, UInt64(Self.dynamicOffset), 0, 8 * 16)
        result += interpreter
        result += [UInt8](repeating: 0, count: Self.dynamicOffset - result.count)
        let entries: [(UInt64, UInt64)] = [
            (1, 1), (1, 13), (14, 25), (runpathTag, 31), (5, Self.address + UInt64(Self.stringsOffset)),
            (10, UInt64(strings.count)), (0, 0), (0, 0),
        ]
        for (tag, value) in entries { result += Self.little(tag, 8) + Self.little(value, 8) }
        return result + strings
    }

    static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) : 0 }
    }

    private static func segment(_ type: UInt64, _ offset: UInt64, _ address: UInt64, _ size: UInt64) -> [UInt8] {
        little(type, 4) + little(4, 4) + little(offset, 8) + little(address, 8) + little(address, 8) + little(size, 8)
            + little(size, 8) + little(8, 8)
    }

    struct Lie: Sendable, CustomTestStringConvertible {
        var name: String
        var offset: Int
        var bytes: [UInt8]
        var testDescription: String { name }
    }

    static let lies = [
        Lie(name: "no magic number", offset: 0, bytes: [0]),
        Lie(name: "32 bits", offset: 4, bytes: [1]),
        Lie(name: "big-endian", offset: 5, bytes: [2]),
        Lie(name: "a core file", offset: 16, bytes: [4]),
        Lie(name: "program headers at the end of the address space", offset: 32, bytes: little(.max, 8)),
        Lie(name: "program headers beyond the file", offset: 32, bytes: little(1 << 20, 8)),
        Lie(name: "program headers of no size", offset: 54, bytes: [0, 0]),
        Lie(name: "program headers of a wrong size", offset: 54, bytes: [57, 0]),
        Lie(name: "65535 program headers", offset: 56, bytes: [0xFF, 0xFF]),
        Lie(name: "a string table in no segment", offset: 64 + 16, bytes: little(.max, 8)),
        Lie(name: "a segment beyond the file", offset: 64 + 8, bytes: little(.max - 100, 8)),
        Lie(name: "an interpreter beyond the file", offset: 120 + 8, bytes: little(.max, 8)),
        Lie(name: "an interpreter without a name", offset: 120 + 32, bytes: little(0, 8)),
        Lie(name: "an interpreter with an endless name", offset: 120 + 32, bytes: little(.max, 8)),
        Lie(name: "a relative interpreter", offset: interpreterOffset, bytes: [0x78]),
        Lie(name: "an interpreter without an end", offset: interpreterOffset + 27, bytes: [0x78]),
        Lie(name: "a dynamic section beyond the file", offset: 176 + 8, bytes: little(.max - 8, 8)),
        Lie(name: "a dynamic section of all memory", offset: 176 + 32, bytes: little(.max, 8)),
        Lie(name: "a library's name outside of the table", offset: dynamicOffset + 8, bytes: little(4096, 8)),
        Lie(name: "a library's name at the end of memory", offset: dynamicOffset + 8, bytes: little(.max, 8)),
        Lie(name: "no string table", offset: dynamicOffset + 4 * 16, bytes: little(6, 8)),
        Lie(name: "an empty string table", offset: dynamicOffset + 5 * 16 + 8, bytes: little(0, 8)),
        Lie(name: "a string table that ends early", offset: dynamicOffset + 5 * 16 + 8, bytes: little(40, 8)),
    ]
}
