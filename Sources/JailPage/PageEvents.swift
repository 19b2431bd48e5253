package import PageControl

/// What an open page hears, as server-sent events (see the HTML standard): the queue once a second, the rest every three, each
/// only where it has changed, and something every ten seconds whatever happens.
package struct PageEvents: Sendable {
    private static let jailsEvery = 3
    private static let heartbeatEvery = 10

    private let look: @Sendable (PageCall.Order) async -> [UInt8]?
    private var last: [String: [UInt8]] = [:]
    private var tick = 0
    private var silent = 0
    private var isOver = false

    package init(_ look: @escaping @Sendable (PageCall.Order) async -> [UInt8]?) { self.look = look }

    /// To be asked once a second.
    ///
    /// - Returns: what is to be written, which may be nothing; nil: it is over.
    package mutating func next() async -> [UInt8]? {
        guard !isOver else { return nil }
        var text = await hear("queue", .queue)
        if !isOver, tick % Self.jailsEvery == 0 { text += await hear("jails", .jails) }
        tick += 1
        // The page asks for a login then, and does not come back by itself.
        if isOver { return text + Array("event: over\ndata: {}\n\n".utf8) }
        silent = text.isEmpty ? silent + 1 : 0
        guard silent >= Self.heartbeatEvery else { return text }
        silent = 0
        return Array(": \n\n".utf8)
    }

    private mutating func hear(_ name: String, _ order: PageCall.Order) async -> [UInt8] {
        guard let data = await look(order) else {
            isOver = true
            return []
        }
        guard last[name] != data else { return [] }
        last[name] = data
        // One line: a line's end would begin a field of its own.
        let line = data.filter { $0 != 0x0A && $0 != 0x0D }
        return Array("event: \(name)\ndata: ".utf8) + line + [0x0A, 0x0A]
    }
}
