import JailCore
import JailPolicy
import Testing

/// What a failing call says, or `no error`.
func message(_ body: () throws -> some Any) -> String {
    do {
        _ = try body()
        return "no error"
    } catch {
        return "\(error)"
    }
}

func read(_ text: String, file: String = "f") throws -> JSON5Value {
    try JSON5Reader.read(Array(text.utf8), file: file)
}

/// A profile from one text, without parents.
func profile(_ text: String, home: String? = "/home/ann") throws -> Profile {
    try ProfileLoader.decode(read(text, file: "p.json5"), name: "p", home: home)
}

/// The whole refusal of a profile text.
func refusal(_ text: String) -> String { message { try profile(text) } }

/// A directory of profiles that is gone when the test ends.
final class Directory {
    let path: String

    init() throws {
        let random = try System.randomBytes(8).map { String($0, radix: 16) }.joined()
        path = "/tmp/clawjail-policy-\(random)"
        try System.makeDirectory(path, mode: 0o700)
    }

    deinit {
        guard let opened = try? System.open(path, [.readOnly, .directory]) else { return }
        for (name, kind) in (try? System.names(in: opened.borrowed)) ?? [] {
            try? System.unlink(name, at: opened.borrowed, isDirectory: kind == 4)
        }
        try? System.unlink(path, isDirectory: true)
    }

    /// Writes `NAME.json5` with exactly this mode and returns its path.
    @discardableResult
    func add(_ name: String, _ text: String, mode: UInt32 = 0o644) throws -> String {
        try add(name, Array(text.utf8), mode: mode)
    }

    @discardableResult
    func add(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
        let file = "\(path)/\(name).json5"
        let descriptor = try System.open(file, [.writeOnly, .create, .truncate], mode: 0o600)
        try System.writeAll(descriptor.borrowed, bytes)
        try System.changeMode(file, mode)
        return file
    }

    var loader: ProfileLoader { loader() }

    func loader(then others: [String] = []) -> ProfileLoader {
        ProfileLoader(directories: [path] + others, owners: [0, System.userID], home: "/home/ann")
    }
}

/// The profiles that are shipped, and their schema.
enum Shipped {
    static let directory = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/profiles"
    static let names = [
        "automation", "chat", "commands", "messaging", "offline", "operator", "research", "services", "session",
        "shell",
        "stateful", "webhooks",
    ]

    static func load(_ name: String) throws -> Profile { try withLoader { try $0.load(name) } }

    /// A checkout may be group-writable, and belongs to whoever made it; both are the loader's own tests.
    static func withLoader<Result>(_ body: (ProfileLoader) throws -> Result) throws -> Result {
        let copy = try Directory()
        for name in names { try copy.add(name, try System.readFile("\(directory)/\(name).json5")) }
        return try withExtendedLifetime(copy) { try body(copy.loader) }
    }

    static func schema() throws -> JSON5Value {
        try JSON5Reader.read(try System.readFile("\(directory)/schema.json"), file: "schema.json")
    }
}
