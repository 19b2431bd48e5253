internal import DNSMessages
package import JailPolicy
package import NIOCore

/// Answers the jail's queries, and asks nobody: a name that may be reached gets a synthetic address, any other does not
/// exist. Confined to one event loop.
package final class DNSResponder {
    package struct Settings: Sendable {
        /// Seconds for which a client may remember an answer. Far less than ``NameTable/quarantine``.
        package var timeToLive: UInt32 = 60
        /// Queries beyond this are refused, whatever they ask.
        package var queries = RateLimit(burst: 2_000, perMinute: 12_000)
        /// Events beyond this are counted and not told, so that a flood cannot fill the channel that they go to.
        package var events = RateLimit(burst: 60, perMinute: 120)

        package init() {}
    }

    /// Something that the supervisor should know.
    package enum Event: Equatable, Sendable {
        /// A name that no rule allows; as text that is safe to print.
        case denied(String)
        /// An allowed name got no address: the table is full, or its file cannot be written.
        case noAddress(HostName, NameStoreError?)
        /// Queries came faster than they may.
        case tooManyQueries
    }

    private let table: NameTable
    private var settings: Settings
    private let isSuspect: (String) -> Bool
    private let isAllowed: (HostName) -> Bool
    private let onEvent: (Event, _ untold: Int) -> Void
    private var untold = 0

    /// - Parameters:
    ///   - isSuspect: whether something is in a name that must not get out; such a name does not exist. Asked of every name,
    ///     without a limit: who is asked tells of it as well.
    ///   - isAllowed: whether a name may be reached in any way at all.
    ///   - onEvent: told of events within their limit, and how many before each were left out.
    package init(
        table: NameTable, settings: Settings = Settings(), isSuspect: @escaping (String) -> Bool = { _ in false },
        isAllowed: @escaping (HostName) -> Bool,
        onEvent: @escaping (_ event: Event, _ untold: Int) -> Void
    ) {
        self.table = table
        self.settings = settings
        self.isSuspect = isSuspect
        self.isAllowed = isAllowed
        self.onEvent = onEvent
    }

    /// What to send back; nil: nothing. It fits into 512 bytes, so that it is the same over UDP and TCP.
    package func answer(_ bytes: [UInt8], now: NIODeadline = .now()) -> [UInt8]? {
        let isWithinLimit = settings.queries.take(now: now)
        switch DNSQuery.read(bytes) {
        case .ignored: return nil
        case .refusal(let refusal): return refusal
        case .query(let query):
            guard isWithinLimit else {
                tell(.tooManyQueries, now: now)
                return DNSReply(to: query, code: .refused).bytes
            }
            return reply(to: query, now: now).bytes
        }
    }

    private func reply(to query: DNSQuery, now: NIODeadline) -> DNSReply {
        guard query.question.recordClass == DNSQuestion.internetClass else {
            return DNSReply(to: query, code: .refused)
        }
        guard !isSuspect(query.question.name.text) else { return DNSReply(to: query, code: .nameError) }
        guard let name = query.question.name.hostName else {
            tell(.denied(query.question.name.text), now: now)
            return DNSReply(to: query, code: .nameError)
        }
        // RFC 6761, 6.3: such a name is always the machine that asks.
        if name.text == "localhost" || name.text.utf8.reversed().starts(with: ".localhost".utf8.reversed()) {
            return localReply(to: query)
        }
        guard isAllowed(name) else {
            tell(.denied(name.text), now: now)
            return DNSReply(to: query, code: .nameError)
        }
        // An allowed name exists, and has nothing but one IPv4 address: no other address, no key for an encrypted
        // ClientHello, no text.
        guard query.question.type == .a else { return DNSReply(to: query) }
        guard let address = table.address(for: name, now: now) else {
            tell(.noAddress(name, table.writeFailure), now: now)
            return DNSReply(to: query, code: .serverFailure)
        }
        return DNSReply(to: query, addresses: [.v4(address)], timeToLive: settings.timeToLive)
    }

    private func localReply(to query: DNSQuery) -> DNSReply {
        let addresses: [IPAddress] =
            switch query.question.type {
            case .a: [.v4(0x7F00_0001)]
            case .aaaa: [.v6(high: 0, low: 1)]
            default: []
            }
        return DNSReply(to: query, addresses: addresses, timeToLive: settings.timeToLive)
    }

    private func tell(_ event: Event, now: NIODeadline) {
        guard settings.events.take(now: now) else {
            untold += 1
            return
        }
        let before = untold
        untold = 0
        onEvent(event, before)
    }
}
