/// What one client says to a published port that asks for a token: nothing of it goes on to the jail before the token was
/// seen, and that never does (RFC 9112, 6455).
///
/// Each request of HTTP/1.1 needs `Authorization: Bearer TOKEN`, and goes on with the placeholder there. A WebSocket may show
/// the token in its first message instead, as OpenClaw's clients do. Bodies are counted, so that what follows one is judged
/// as the next request; whatever two readers could understand in two ways ends the connection.
package struct TokenGate {
    package enum Step: Equatable {
        /// Goes on to the jail; empty: nothing yet.
        case pass([UInt8])
        /// The connection ends, and its client is told this.
        case refuse(Refusal, answer: [UInt8])
    }

    package enum Refusal: String, Sendable {
        case noToken = "no token"
        case wrongToken = "a wrong token"
        case malformed = "no request that could be judged"
    }

    enum State: Equatable {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        /// The end of a chunk, or of the last one and of the body with it.
        case chunkEnd(isLast: Bool)
        /// A WebSocket was asked for, and the jail has not answered yet.
        case switching(isKnown: Bool)
        /// Its first message is awaited, which must have the token.
        case greeting
        /// Everything goes on: a WebSocket whose client has shown the token.
        case open
        case ended
    }

    let token: PublishedToken
    private(set) var state = State.head
    /// What has come and is not judged yet.
    var held: [UInt8] = []
    private var requests = 0
    /// Bytes of a head that its end was looked for in: who sends it byte by byte costs no more.
    private var searched = 0
    /// The beginning of the answer to a WebSocket.
    private var answer: [UInt8] = []

    /// Bytes of a head, and of a WebSocket's first message.
    static let mostHeld = 32 << 10

    package init(_ token: PublishedToken) { self.token = token }

    /// Whether the token was seen, and nothing is awaited of a stranger.
    package var isKnown: Bool {
        switch state {
        case .head: requests > 0
        case .switching(let isKnown): isKnown
        case .greeting, .ended: false
        case .body, .chunkSize, .chunk, .chunkEnd, .open: true
        }
    }

    // MARK: From the client

    package mutating func take(_ bytes: [UInt8]) -> Step {
        held += bytes
        var passed: [UInt8] = []
        while !held.isEmpty {
            do throws(GateError) {
                guard let part = try next() else {
                    guard held.count <= Self.mostHeld else { throw .malformed }
                    break
                }
                passed += part
            } catch { return end(error.refusal) }
        }
        return .pass(passed)
    }

    /// What can be passed on now; nil: more is needed to say.
    private mutating func next() throws(GateError) -> [UInt8]? {
        switch state {
        case .head: return try takeHead()
        case .body(let left):
            state = left > held.count ? .body(left: left - held.count) : .head
            return takeHeld(left)
        case .chunkSize: return try takeChunkSize()
        case .chunk(let left):
            let part = takeHeld(left)
            state = left > part.count ? .chunk(left: left - part.count) : .chunkEnd(isLast: false)
            return part
        case .chunkEnd(let isLast):
            // Fields after the last chunk are nobody's habit, and could be read as another request.
            guard held.starts(with: [0x0D, 0x0A].prefix(held.count)) else { throw .malformed }
            guard held.count >= 2 else { return nil }
            state = isLast ? .head : .chunkSize
            return takeHeld(2)
        case .greeting: return try takeGreeting()
        case .open: return takeHeld(held.count)
        // A client waits for the answer before it speaks another protocol.
        case .switching, .ended: throw .malformed
        }
    }

    mutating func takeHeld(_ count: Int) -> [UInt8] {
        let part = Array(held.prefix(count))
        held.removeFirst(part.count)
        return part
    }

    private mutating func takeHead() throws(GateError) -> [UInt8]? {
        guard let end = GateHead.end(of: held, from: searched) else {
            searched = held.count
            return nil
        }
        searched = 0
        let head = try GateHead(takeHeld(end))
        requests += 1
        // What is sent with an upgrade is read anew by the other side: it stands on a connection of its own.
        guard !head.isUpgrade || requests == 1 else { throw .malformed }
        switch head.offered {
        case nil where head.isUpgrade: state = .switching(isKnown: false)
        case nil: throw .noToken
        case let offered? where token.isSame(as: offered): state = .switching(isKnown: true)
        default: throw .wrongToken
        }
        if !head.isUpgrade {
            switch head.body {
            case .none: state = .head
            case .length(let length): state = length == 0 ? .head : .body(left: length)
            case .chunked: state = .chunkSize
            }
        }
        let passed = head.bytes(with: token.placeholder)
        // In another field, or in the target: the jail would have it.
        guard token.places(in: passed).isEmpty else { throw .malformed }
        return passed
    }

    /// Digits and nothing else: extensions of chunks are where readers differ.
    private mutating func takeChunkSize() throws(GateError) -> [UInt8]? {
        let digits = held.prefix { $0 != 0x0D }
        guard digits.count <= 8, digits.allSatisfy(\.isHexDigit) else { throw .malformed }
        guard held.count >= digits.count + 2 else { return nil }
        guard held[digits.count + 1] == 0x0A, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw .malformed
        }
        state = size == 0 ? .chunkEnd(isLast: true) : .chunk(left: size)
        return takeHeld(digits.count + 2)
    }

    private mutating func takeGreeting() throws(GateError) -> [UInt8]? {
        guard let message = try GateMessage(held) else { return nil }
        let passed = try message.bytes(replacing: token)
        state = .open
        _ = takeHeld(message.count)
        return passed
    }

    private mutating func end(_ refusal: Refusal) -> Step {
        let isWebSocket = state == .greeting || state == .open
        state = .ended
        held = []
        return .refuse(refusal, answer: isWebSocket ? GateMessage.farewell(refusal) : GateHead.answer(refusal))
    }

    // MARK: From the jail

    /// What the jail answers, before the client hears it: a WebSocket is one only where both sides say so.
    package mutating func hear(_ bytes: [UInt8]) {
        guard case .switching(let isKnown) = state else { return }
        let expected = Array("HTTP/1.1 101 ".utf8)
        answer += bytes.prefix(expected.count - answer.count)
        guard answer.elementsEqual(expected.prefix(answer.count)) else {
            state = .ended
            return
        }
        if answer.count == expected.count { state = isKnown ? .open : .greeting }
    }
}

enum GateError: Error {
    case noToken, wrongToken, malformed

    var refusal: TokenGate.Refusal {
        switch self {
        case .noToken: .noToken
        case .wrongToken: .wrongToken
        case .malformed: .malformed
        }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x41...0x46).contains(self & 0xDF) }
}
