internal import JailCore

/// What a supervisor and the keeper of a shared way out say to each other, one packet each: a byte that says what it is,
/// and a text. Both are clawjail's own, of one user; what is none of these ends the connection.
enum KeeperMessage: Equatable {
    // Supervisor to keeper.
    /// A channel is wanted, to a process of this kind, see `EgressPlan.terms`.
    case ask(terms: String)
    /// The process has said what it never would: it must serve nobody any more.
    case distrust

    // Keeper to supervisor.
    /// Carries the supervisor's end of the channel.
    case channel
    /// The process has ended in this way. Another one can be asked for.
    case ended(String)
    /// It has ended, or cannot be had, and there will be no other one.
    case gone(String)

    /// Bytes of one message.
    static let sizeLimit = 4096

    private enum Kind: UInt8 {
        case ask = 1
        case distrust
        case channel = 0x41
        case ended, gone
    }

    var bytes: [UInt8] {
        switch self {
        case .ask(let terms): Self.bytes(.ask, terms)
        case .distrust: Self.bytes(.distrust)
        case .channel: Self.bytes(.channel)
        case .ended(let how): Self.bytes(.ended, how)
        case .gone(let how): Self.bytes(.gone, how)
        }
    }

    private static func bytes(_ kind: Kind, _ text: String = "") -> [UInt8] {
        [kind.rawValue] + text.utf8.prefix(sizeLimit - 1)
    }

    /// nil: nothing that either would say. Texts are made printable.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit, let kind = bytes.first.flatMap(Kind.init(rawValue:)) else { return nil }
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self).printable
        switch kind {
        case .ask where !text.isEmpty: self = .ask(terms: text)
        case .distrust where text.isEmpty: self = .distrust
        case .channel where text.isEmpty: self = .channel
        case .ended where !text.isEmpty: self = .ended(text)
        case .gone where !text.isEmpty: self = .gone(text)
        default: return nil
        }
    }
}
