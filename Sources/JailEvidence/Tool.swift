internal import JailCore

/// Programs of the host's that evidence is made with: GNU tar, zstd, sync and sha256sum, by their full paths and with an environment
/// of their own. Each has its time, and what they write has a limit.
enum Tool {
    static let tar = "/usr/bin/tar"
    static let zstd = "/usr/bin/zstd"
    static let sync = "/usr/bin/sync"
    static let sum = "/usr/bin/sha256sum"

    struct Started {
        let name: String
        let pid: Int32
        let pidfd: SharedDescriptor
    }

    /// - Parameter streams: standard input, output and error, numbered above 2.
    static func start(
        _ path: String, _ arguments: [String], in directory: Descriptor, streams: [Descriptor]
    ) throws(JailError) -> Started {
        var surroundings = System.Surroundings(directory: .open(directory))
        surroundings.streams = streams
        let name = path.baseName
        do throws(SystemError) {
            let pid = try System.spawn(
                System.Program(
                    path: path, arguments: [name] + arguments, environment: ["LC_ALL=C", "PATH=/usr/bin:/bin"]),
                surroundings)
            return Started(name: name, pid: pid, pidfd: SharedDescriptor(try System.openProcess(pid)))
        } catch {
            throw JailError(
                .lockdown, error, path: path, hint: error.errno == .notFound ? "apt install \(name)" : nil)
        }
    }

    /// Waits for all of them. Whoever takes too long, or writes too much, is killed with the others.
    ///
    /// - Parameter output: whose size is watched.
    /// - Returns: the statuses, in order.
    static func wait(
        _ tools: [Started], output: Descriptor? = nil, limits: EvidenceLimits
    ) throws(JailError) -> [Int32] {
        let deadline = System.monotonicNanoseconds() + limits.seconds * 1_000_000_000
        var statuses = tools.map { _ in Int32?.none }
        var excess: String?
        while true {
            try attempt(.lockdown) { () throws(SystemError) in
                for (index, tool) in tools.enumerated() where statuses[index] == nil {
                    statuses[index] = try System.reapIfEnded(tool.pidfd.borrowed)?.status
                }
            }
            let running = tools.indices.filter { statuses[$0] == nil }
            // Also of those that were done before anybody looked.
            if let output, let size = try? System.status(of: output).size, size > limits.bytes {
                excess = "it takes more than \(limits.bytes) bytes"
            }
            if running.isEmpty { break }
            if System.monotonicNanoseconds() > deadline { excess = "it takes longer than \(limits.seconds) s" }
            if excess != nil { for index in running { try? System.kill(tools[index].pid, 9) } }
            try attempt(.lockdown) { () throws(SystemError) in
                var entries = running.map {
                    System.PollEntry(tools[$0].pidfd.borrowed, System.PollEvents.readable)
                }
                try System.poll(&entries, milliseconds: 200)
            }
        }
        if let excess { throw JailError(.lockdown, operation: tools.first?.name, reason: excess) }
        return statuses.compactMap(\.self)
    }
}

/// How much one part of the evidence may take.
package struct EvidenceLimits: Sendable {
    package var seconds: Int64 = 600
    /// After compression.
    package var bytes: UInt64 = 16 << 30

    package init() {}
}

extension String {
    var baseName: String { utf8.lastIndex(of: 0x2F).map { String(self[index(after: $0)...]) } ?? self }
}
