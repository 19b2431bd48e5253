package import JailCore

/// A command to execute in a jail that runs: what a caller asks of the supervisor, and, once that has checked and
/// completed it, what the supervisor asks of init.
///
/// It crosses both sockets as a file in memory. Texts are bytes as execve(2) takes them: no encoding is assumed.
package struct ExecRequest: Equatable, Sendable {
    /// The program's name first. A name without a slash is looked for in PATH, inside, unless ``program`` says where it is.
    package var arguments: [[UInt8]]
    /// `NAME=value`. Of a caller: what goes over the jail's own environment. For init: the whole.
    package var environment: [[UInt8]] = []
    /// Absolute, inside; nil: the jail's own.
    package var directory: [UInt8]?
    /// Absolute, inside. Only of the supervisor's own requests.
    package var program: [UInt8]?
    /// What `kill` finds it by.
    package var id: String?
    /// A terminal of its own, of this size if the caller has one.
    package var terminal: TerminalSize?

    package init(arguments: [[UInt8]]) { self.arguments = arguments }

    /// Bytes of a whole request. The kernel takes no more than a quarter of the stack's limit, which is 2 MiB of the usual
    /// 8 MiB, for arguments and environment, see execve(2).
    package static let sizeLimit = 4 << 20
    /// Of the environment.
    package static let mostVariables = 4096
    /// Of an id.
    package static let longestID = 64

    /// Whether a text may name an exec: 1 to 64 of letters, digits, `.`, `_` and `-`.
    package static func isValid(id: String) -> Bool {
        let bytes = Array(id.utf8)
        return (1...longestID).contains(bytes.count)
            && bytes.allSatisfy { (byte) in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

// MARK: Bytes

extension ExecRequest {
    /// Counts and lengths are 32 bits, little end first.
    package var bytes: [UInt8] {
        var writer = Writer()
        writer.list(arguments)
        writer.list(environment)
        writer.list(directory.map { [$0] } ?? [])
        writer.list(program.map { [$0] } ?? [])
        writer.list(id.map { [Array($0.utf8)] } ?? [])
        writer.number(terminal.map { UInt32($0.rows) << 16 | UInt32($0.columns) } ?? Self.noTerminal)
        return writer.bytes
    }

    /// Reads what anybody may have written: nil unless it is a request in every part.
    package init?(bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard bytes.count <= Self.sizeLimit, let arguments = reader.list(), let environment = reader.list(),
            let directories = reader.list(), let programs = reader.list(), let ids = reader.list(),
            let terminal = reader.number(), reader.isAtEnd,
            let name = arguments.first, !name.isEmpty, directories.count <= 1, programs.count <= 1, ids.count <= 1
        else { return nil }
        self.init(arguments: arguments)
        // `NAME=value`, with a name.
        guard environment.count <= Self.mostVariables,
            environment.allSatisfy({ ($0.firstIndex(of: UInt8(ascii: "=")) ?? 0) > 0 })
        else { return nil }
        self.environment = environment
        if let directory = directories.first {
            guard directory.first == UInt8(ascii: "/"), directory.count < Self.longestPath else { return nil }
            self.directory = directory
        }
        if let program = programs.first {
            guard program.first == UInt8(ascii: "/"), program.count < Self.longestPath else { return nil }
            self.program = program
        }
        if let text = ids.first {
            let id = String(decoding: text, as: UTF8.self)
            guard Self.isValid(id: id) else { return nil }
            self.id = id
        }
        if terminal != Self.noTerminal {
            self.terminal = TerminalSize(
                rows: UInt16(terminal >> 16), columns: UInt16(truncatingIfNeeded: terminal))
        }
    }

    /// PATH_MAX of limits.h.
    private static let longestPath = 4096
    /// No terminal has 65,535 rows and columns.
    private static let noTerminal = UInt32.max

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func number(_ value: UInt32) {
            for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }

        mutating func list(_ texts: [[UInt8]]) {
            number(UInt32(texts.count))
            for text in texts {
                number(UInt32(text.count))
                bytes += text
            }
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var next = 0
        var isAtEnd: Bool { next == bytes.count }

        mutating func number() -> UInt32? {
            guard bytes.count - next >= 4 else { return nil }
            defer { next += 4 }
            return UInt32(bytes[next]) | UInt32(bytes[next + 1]) << 8 | UInt32(bytes[next + 2]) << 16
                | UInt32(bytes[next + 3]) << 24
        }

        /// Texts without a NUL byte: execve(2) would end them there.
        mutating func list() -> [[UInt8]]? {
            guard let count = number(), count <= bytes.count / 4 else { return nil }
            var texts: [[UInt8]] = []
            for _ in 0..<count {
                guard let length = number(), length <= bytes.count - next else { return nil }
                let text = Array(bytes[next..<(next + Int(length))])
                guard !text.contains(0) else { return nil }
                texts.append(text)
                next += Int(length)
            }
            return texts
        }
    }
}
