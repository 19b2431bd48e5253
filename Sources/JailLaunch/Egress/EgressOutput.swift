internal import JailCore

/// What the gateway writes to standard error, where only a runtime that gives up writes: the lines as text that prints,
/// and no more of them than help.
struct EgressOutput {
    private static let mostBytes = 64 << 10
    private static let lineLimit = 300

    private var taken = 0
    private(set) var isFinished = false

    /// Where it gave up, and not why: a runtime's reason can quote what the jail or an origin has sent.
    private static func withoutContents(_ line: String) -> String {
        let parts = line.split(separator: ":", maxSplits: 2)
        return line.contains("Fatal error") && parts.count == 3 ? "\(parts[0]):\(parts[1]): Fatal error" : line
    }

    /// Non-empty lines that have arrived, cut and made printable. The rest of a chatterbox is thrown away unread.
    mutating func read(_ pipe: Descriptor) -> [String] {
        do throws(SystemError) {
            let bytes = try System.read(pipe, most: 4096)
            taken += bytes.count
            isFinished = bytes.isEmpty || taken > Self.mostBytes
            return bytes.split(separator: 0x0A).map {
                Self.withoutContents(String(decoding: $0.prefix(Self.lineLimit), as: UTF8.self)).printable
            }
        } catch {
            if error.errno != .wouldBlock { isFinished = true }
            return []
        }
    }
}
