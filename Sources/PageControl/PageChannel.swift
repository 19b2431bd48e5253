package import JailCore

/// Between the page, which browsers reach, and the desk, which reaches jails: a socket pair that nobody else holds. Four bytes
/// that say how many follow, and those. One asks, the other one answers; both wait.
package struct PageChannel: Sendable {
    /// The page's end, and its listeners on 127.0.0.1 and, where there is IPv6, on ::1.
    package static let number: Int32 = 3
    package static let listeners: [Int32] = [4, 5]

    private let socket: Descriptor

    package init(_ socket: Descriptor) { self.socket = socket }

    package func send(_ bytes: [UInt8]) throws(SystemError) {
        let count = UInt32(clamping: bytes.count)
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        try System.writeAll(socket, head + bytes)
    }

    /// nil: the other end is gone.
    ///
    /// - Throws: EMSGSIZE for more than the limit.
    package func receive(limit: Int) throws(SystemError) -> [UInt8]? {
        guard let head = try take(4) else { return nil }
        let count = head.reduce(0) { $0 << 8 | Int($1) }
        guard count <= limit else { throw SystemError(.check, .messageTooLong) }
        return try take(count)
    }

    private func take(_ count: Int) throws(SystemError) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let part = try System.read(socket, most: count - bytes.count)
            guard !part.isEmpty else { return nil }
            bytes += part
        }
        return bytes
    }
}
