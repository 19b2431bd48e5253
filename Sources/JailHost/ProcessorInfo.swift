package import JailCore

/// /proc/cpuinfo in blocks, one for each processor.
package enum ProcessorInfo {
    /// The first `count` blocks. The kernel makes the text while it is read, so the rest is never asked for.
    package static func blocks(_ count: Int, path: String = "/proc/cpuinfo") throws(SystemError) -> [String] {
        guard count > 0 else { return [] }
        let file = try System.open(path, .readOnly)
        var text: [UInt8] = []
        var blocks: [String] = []
        while blocks.count < count {
            let part = try System.read(file.borrowed, most: 4096)
            text += part
            while blocks.count < count, let end = emptyLine(in: text) {
                blocks.append(String(decoding: text[..<end], as: UTF8.self))
                text.removeFirst(end + 1)
            }
            if part.isEmpty { break }
        }
        // The last block may end with the file, and on arm64 a summary may follow the processors.
        if blocks.count < count, text.starts(with: Array("processor".utf8)) {
            blocks.append(String(decoding: text, as: UTF8.self))
        }
        return blocks
    }

    /// Where the empty line after a block begins: the block keeps the newline of its last line.
    private static func emptyLine(in text: [UInt8]) -> Int? {
        guard text.count > 1 else { return nil }
        for index in 1..<text.count where text[index] == 0x0A && text[index - 1] == 0x0A { return index }
        return nil
    }
}
