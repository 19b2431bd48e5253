internal import JailCore
internal import JailPlan

/// Finds libraries as ld.so(8) does: RPATH (of the object and of those that loaded it, unless it has a RUNPATH),
/// RUNPATH, /etc/ld.so.cache, the standard directories. LD_LIBRARY_PATH does not reach the jail and is left out.
struct LibrarySearch {
    /// One loaded object and what its own libraries are searched with.
    struct Object {
        var path: String
        /// The directory of the path that it was found under: what `$ORIGIN` stands for.
        var origin: String
        var elf: ElfFile
        /// The expanded RPATHs of the objects that loaded it.
        var inherited: [String]
    }

    struct Found {
        var resolved: HostTree.Resolved
        var object: Object
        /// Only the cache led there, so the loader inside needs the cache too.
        var needsCache: Bool
    }

    /// $LIB is `lib/TRIPLET` on Debian and its kin, `lib64` elsewhere.
    static let triplet = ElfFile.Machine.host == .aarch64 ? "aarch64-linux-gnu" : "x86_64-linux-gnu"
    /// The directories that the loaders of Debian and of Fedora know without any cache.
    static let builtInDirectories = ["/lib/" + triplet, "/usr/lib/" + triplet, "/lib64", "/usr/lib64"]
    static let standardDirectories = builtInDirectories + ["/lib", "/usr/lib"]
    static let cachePath = "/etc/ld.so.cache"

    private var elves: [String: ElfFile] = [:]
    private lazy var cache = LibraryCache(path: Self.cachePath)

    /// The library `name` that `object` needs (nil: that any program may load); nil if it is nowhere.
    mutating func find(_ name: String, for object: Object?, in tree: inout HostTree) throws(JailError) -> Found? {
        if name.utf8.contains(0x2F) {
            guard name.utf8.first == 0x2F else { return nil }
            return try load(name, for: object, needsCache: false, in: &tree)
        }
        for directory in Self.ownDirectories(of: object) {
            if let found = try load(Paths.join(directory, name), for: object, needsCache: false, in: &tree) {
                return found
            }
        }
        if object?.elf.skipsDefaultDirectories == true { return nil }
        for path in cache?.paths(of: name) ?? [] {
            let needsCache = !Self.builtInDirectories.contains(Paths.parent(path))
            if let found = try load(path, for: object, needsCache: needsCache, in: &tree) { return found }
        }
        for directory in Self.standardDirectories {
            if let found = try load(Paths.join(directory, name), for: object, needsCache: false, in: &tree) {
                return found
            }
        }
        return nil
    }

    /// The ELF data of a canonical path, read once.
    mutating func elf(at path: String) throws(MalformedFile) -> ElfFile {
        if let known = elves[path] { return known }
        let elf = try ElfFile(RandomAccess.opening(path))
        elves[path] = elf
        return elf
    }

    /// What a program's or a library's own libraries are searched in before anything else.
    private static func ownDirectories(of object: Object?) -> [String] {
        guard let object else { return [] }
        if !object.elf.runpath.isEmpty { return expand(object.elf.runpath, origin: object.origin) }
        return expand(object.elf.rpath, origin: object.origin) + object.inherited
    }

    private mutating func load(
        _ path: String, for parent: Object?, needsCache: Bool, in tree: inout HostTree
    ) throws(JailError) -> Found? {
        guard let resolved = try tree.resolve(path), resolved.status.kind == .regular,
            // The loader passes over what is for another machine, and looks on.
            let elf = try? elf(at: resolved.path)
        else { return nil }
        let inherited =
            parent.map { Self.expand($0.elf.rpath, origin: $0.origin) + $0.inherited } ?? []
        let object = Object(path: resolved.path, origin: Paths.parent(path), elf: elf, inherited: inherited)
        return Found(resolved: resolved, object: object, needsCache: needsCache)
    }

    /// Replaces $ORIGIN, $LIB and $PLATFORM, with and without braces; relative directories are dropped.
    static func expand(_ directories: [String], origin: String) -> [String] {
        var result: [String] = []
        for directory in directories {
            let withOrigin = replace("ORIGIN", by: origin, in: directory)
            let withPlatform = replace("PLATFORM", by: ElfFile.Machine.host.name, in: withOrigin)
            for library in ["lib/" + triplet, "lib64"] {
                let expanded = replace("LIB", by: library, in: withPlatform)
                if expanded.utf8.first == 0x2F, !result.contains(expanded) { result.append(expanded) }
            }
        }
        return result
    }

    private static func replace(_ token: String, by value: String, in text: String) -> String {
        guard text.utf8.contains(0x24) else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let after = rest[dollar...]
            if after.hasPrefix("${\(token)}") {
                result += value
                rest = after.dropFirst(token.count + 3)
            } else if after.hasPrefix("$" + token) {
                result += value
                rest = after.dropFirst(token.count + 1)
            } else {
                result += "$"
                rest = after.dropFirst()
            }
        }
        return result + rest
    }
}

extension ElfFile.Machine {
    /// As uname(2) says it.
    var name: String { self == .aarch64 ? "aarch64" : "x86_64" }
}
