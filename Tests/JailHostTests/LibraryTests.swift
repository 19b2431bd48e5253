import JailCore
import JailHost
import JailPlan
import Testing

@Suite struct LibraryTests {
    @Test func `the host's cache is read as ldconfig reads it`() throws {
        let cache = try #require(LibraryCache(path: "/etc/ld.so.cache"))
        let text = try #require(try output("/sbin/ldconfig", ["-p"]))
        var compared = 0
        for line in text.split(separator: "\n") where line.contains("(libc6,x86-64)") {
            let parts = line.split(separator: " ")
            guard let name = parts.first?.drop(while: { $0 == "\t" }), let path = parts.last else { continue }
            #expect(cache.paths(of: String(name)).contains(String(path)))
            compared += 1
        }
        #expect(compared > 10)
        #expect(cache.paths(of: "libnothing-of-the-kind.so.0").isEmpty)
    }

    @Test func `a small cache is read`() throws {
        let cache = try #require(LibraryCache(SmallCache().bytes))
        #expect(cache.paths(of: "libone.so.1") == ["/opt/libone.so.1"])
        #expect(cache.paths(of: "libone.so").isEmpty)
    }

    @Test func `a cache cut off anywhere is no cache or has no answer beyond its end`() {
        let bytes = SmallCache().bytes
        for length in 0..<bytes.count {
            let cache = LibraryCache(Array(bytes[..<length]))
            #expect(cache?.paths(of: "libone.so.1") ?? [] == [], "cut off at \(length)")
        }
    }

    @Test func `a cache that lies is no cache or has no answer`() {
        for (offset, value) in [(20, UInt64(UInt32.max)), (52, .max), (56, .max), (48, 0), (64, 1)] {
            var bytes = SmallCache().bytes
            for (index, byte) in SmallElf.little(value, 4).enumerated() { bytes[offset + index] = byte }
            #expect(LibraryCache(bytes)?.paths(of: "libone.so.1") ?? [] == [], "at \(offset)")
        }
        #expect(LibraryCache(Array("ld.so-1.7.0".utf8) + [UInt8](repeating: 0, count: 100)) == nil)
    }

    @Test(arguments: ElfFileTests.binaries.filter { !$0.contains(".so") && !$0.hasPrefix("/root") })
    func `a program's closure holds what ldd finds`(path: String) throws {
        let text = try #require(try output("/usr/bin/ldd", [path]))
        let closure = try resolve([path], [path])
        var found = 0
        for word in text.split(whereSeparator: { " \n\t".contains($0) }) where word.hasPrefix("/") {
            var tree = HostTree()
            let library = try #require(try tree.resolve(String(word)))
            #expect(closure.shows(library.path), "\(word)")
            for symlink in library.symlinks { #expect(closure.symlinks.contains(symlink), "\(word)") }
            found += 1
        }
        #expect(found > 1)
    }

    @Test func `a library that no longer is there is named`() throws {
        let directory = try TemporaryDirectory()
        var bytes = SmallElf().bytes
        let interpreter = Array("/lib64/ld-linux-x86-64.so.2".utf8)
        bytes.replaceSubrange(
            SmallElf.interpreterOffset..<(SmallElf.interpreterOffset + interpreter.count), with: interpreter)
        let program = try directory.file("program", bytes: bytes, mode: 0o755)
        let error = failure { () throws(JailError) in _ = try resolve([program], [program]) }
        #expect(error?.description.contains("needs the library 'libone.so.1', which is not installed") == true)
        #expect(error?.status == ExitStatus.configuration)
    }

    @Test func `libraries are found through RUNPATH and ORIGIN`() throws {
        let directory = try TemporaryDirectory()
        let libc = "/lib/x86_64-linux-gnu/libc.so.6"
        let program = try directory.file("program", bytes: SmallElf().bytes, mode: 0o755)
        try directory.directory("lib")
        // Copies of a real library: the loader would look into what it finds.
        for name in ["libone.so.1", "libtwo.so.2"] {
            try directory.symlink("lib/" + name, to: libc)
        }
        let closure = try resolve([program], [program])
        #expect(closure.hasSymlink(directory.path + "/lib/libone.so.1", libc))
        #expect(closure.files.contains { $0.path.hasSuffix("/libc.so.6") && !$0.isExecutable })
        #expect(closure.files.contains { $0.path.contains("/ld-linux") && $0.isExecutable })
    }
}

/// One entry for this machine.
struct SmallCache {
    var bytes: [UInt8] {
        let flags: UInt64 = ElfFile.Machine.host == .aarch64 ? 0x0A03 : 0x0303
        let names = Array("libone.so.1\0/opt/libone.so.1\0".utf8)
        var result =
            Array("glibc-ld.so.cache1.1".utf8) + SmallElf.little(1, 4) + SmallElf.little(UInt64(names.count), 4)
        result += [UInt8](repeating: 0, count: 48 - result.count)
        result += SmallElf.little(flags, 4) + SmallElf.little(72, 4) + SmallElf.little(84, 4) + SmallElf.little(0, 12)
        return result + names
    }
}
