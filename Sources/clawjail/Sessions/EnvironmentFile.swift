import JailCore

/// Variables for a command, from a file or an open descriptor: never from arguments, which everybody can read in /proc.
enum EnvironmentFile {
    private static let sizeLimit = 1 << 20

    /// A regular file of the caller's own that nobody else can read.
    static func read(path: String) throws(JailError) -> [[UInt8]] {
        let file = try attempt(.usage, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal]))
        }
        let status = try attempt(.usage, path) { () throws(SystemError) in try System.status(of: file.borrowed) }
        guard status.kind == .regular, status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw JailError(
                .usage, path: path, reason: "it must be a regular file of this user's own that nobody else can read",
                hint: "chmod 600")
        }
        return try read(file.borrowed, path)
    }

    static func read(descriptor: Int32) throws(JailError) -> [[UInt8]] {
        guard descriptor > 2, System.isOpen(descriptor) else {
            throw JailError(.usage, reason: "--env-fd \(descriptor) is not an open descriptor above 2")
        }
        return try read(Descriptor(descriptor), "--env-fd \(descriptor)")
    }

    private static func read(_ file: Descriptor, _ name: String) throws(JailError) -> [[UInt8]] {
        let content = try attempt(.usage, name) { () throws(SystemError) in
            try System.readAll(file, limit: sizeLimit)
        }
        // With NUL bytes a value may hold line feeds.
        let separator: UInt8 = content.contains(0) ? 0 : 0x0A
        var result: [[UInt8]] = []
        for (number, text) in content.split(separator: separator).enumerated() {
            // The value is not shown: it may be a secret.
            guard let end = text.firstIndex(of: UInt8(ascii: "=")), isName(text[..<end]) else {
                throw JailError(.usage, path: name, reason: "entry \(number + 1) is not NAME=VALUE")
            }
            result.append(Array(text))
        }
        return result
    }

    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return text.allSatisfy { (byte) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
