internal import Glibc
package import JailCore

/// What diff(1) says of two texts. They are a payload's: who reads them has no right, sees no file, and is stopped when it
/// has said enough.
package enum TextDifference {
    /// Bytes of one difference; more are left out.
    package static let mostBytes = 256 << 10

    /// - Parameter name: of both, for people.
    /// - Returns: lines in the unified format, with nothing in them that a terminal would obey.
    package static func unified(_ before: [UInt8], _ after: [UInt8], name: String) throws(JailError) -> String {
        let program = try Tool.diff.found()
        let said: (bytes: [UInt8], isWhole: Bool) = try attempt(.changes, name) { () throws(SystemError) in
            let old = try System.makeMemoryFile("before", before)
            let new = try System.makeMemoryFile("after", after)
            let ends = try System.pipe().release()
            let (read, write) = (
                SharedDescriptor(OwnedDescriptor(ends.readEnd)), SharedDescriptor(OwnedDescriptor(ends.writeEnd))
            )
            defer { withExtendedLifetime((read, write)) {} }
            let helper = Helper(
                tool: .diff,
                arguments: [
                    "-u", "--label", "a/\(name)", "--label", "b/\(name)", "--", "/proc/self/fd/0",
                    "/proc/self/fd/3",
                ],
                owner: DataOwner.reader, others: [new.borrowed])
            let pid = try helper.start(
                program, input: old.borrowed, output: write.borrowed, errors: write.borrowed)
            write.close()
            var bytes: [UInt8] = []
            while bytes.count <= mostBytes {
                let part = try System.read(read.borrowed, most: 65536)
                if part.isEmpty { break }
                bytes += part
            }
            let isWhole = bytes.count <= mostBytes
            if !isWhole { try System.kill(pid, SIGKILL) }
            let ended = try System.wait(forChild: pid)
            // 1: they differ.
            guard !isWhole || ended == .exited(0) || ended == .exited(1) else { throw SystemError(.check, .invalid) }
            return (bytes, isWhole)
        }
        let lines = said.bytes.prefix(mostBytes).split(separator: 0x0A, omittingEmptySubsequences: false)
        let text = lines.map { line in
            // A tab does nothing to a terminal, and programs are full of them.
            line.split(separator: 0x09, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self).printable }.joined(separator: "\t")
        }.joined(separator: "\n")
        return said.isWhole ? text : text + "\n… (more is left out)\n"
    }
}
