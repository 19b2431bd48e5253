/// What a supervisor tells the guardian above it: one packet each.
enum GuardianWord: Equatable {
    /// The command runs.
    case started
    case healthy
    case unhealthy(String)
    /// Its end, when it comes, is for good. May carry a caller who waits for that.
    case final

    /// Bytes of a packet.
    static let sizeLimit = 1024

    private enum Kind: UInt8 { case started = 1, healthy, unhealthy, final }

    init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first.flatMap(Kind.init(rawValue:)), kind == .unhealthy || bytes.count == 1 else {
            return nil
        }
        switch kind {
        case .started: self = .started
        case .healthy: self = .healthy
        case .unhealthy: self = .unhealthy(String(decoding: bytes.dropFirst(), as: UTF8.self))
        case .final: self = .final
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .started: [Kind.started.rawValue]
        case .healthy: [Kind.healthy.rawValue]
        case .unhealthy(let reason): [Kind.unhealthy.rawValue] + reason.utf8.prefix(Self.sizeLimit - 1)
        case .final: [Kind.final.rawValue]
        }
    }
}

/// What the guardian tells the supervisor below it: one packet each.
enum GuardianOrder: Equatable {
    /// A signal has come for the jail: the supervisor itself takes none.
    case signal(Int32)
    /// SIGTERM and the profile's grace, to be started again afterwards.
    case restart

    private enum Kind: UInt8 { case signal = 1, restart }

    static let size = 2

    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, let kind = Kind(rawValue: bytes[0]) else { return nil }
        switch kind {
        case .signal where (1...64).contains(bytes[1]): self = .signal(Int32(bytes[1]))
        case .restart where bytes[1] == 0: self = .restart
        default: return nil
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .signal(let signal): [Kind.signal.rawValue, UInt8(truncatingIfNeeded: signal)]
        case .restart: [Kind.restart.rawValue, 0]
        }
    }
}
