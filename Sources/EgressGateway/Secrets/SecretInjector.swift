internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// Puts secrets into the requests that they are bound to, and finds their placeholders everywhere else. Confined to the event
/// loop.
///
/// Nothing but a placeholder of this jail's, alone in the place that its secret is bound to, is ever replaced: what else
/// stands there is the caller's own, and goes on as it is.
final class SecretInjector {
    private struct Held {
        let placeholder: SecretPlaceholder
        /// nil: it was removed.
        var current: SecretValue?
        /// What goes into requests in its place, of a secret that is exchanged.
        var token: AccessToken?
        /// What was replaced, and until when answers are searched for it.
        var previous: [(value: SecretValue, until: NIODeadline)] = []
        /// The value is another one since its last use.
        var isNew = true
        var isRotated = false

        mutating func dropToken(_ now: NIODeadline) {
            if let token { previous.append((token.value, now + SecretInjector.afterlife)) }
            token = nil
        }
    }

    let rules: SecretRules
    /// That are read before they are sent.
    let bodies = HeldBodies()
    private var held: [String: Held] = [:]
    /// In the order of the matcher's indices.
    private var names: [String] = []
    private var matcher = PlaceholderMatcher([])
    /// Of all values that may come back; nil: they have changed since it was made.
    private var traces: SecretTraces?

    /// By the secret's name.
    private let exchanges: [String: SecretExchange]

    init(_ rules: SecretRules) {
        self.rules = rules
        exchanges = Dictionary(
            rules.names.compactMap { name in rules.exchange(of: name).map { (name, $0) } }, uniquingKeysWith: { $1 })
    }

    // MARK: Values

    /// - Returns: false for what the supervisor would never say: a secret that nothing is bound to, one whose placeholder is
    ///   another one than before or somebody else's, a value that fits into no header field.
    func take(_ grant: SecretGrant, now: NIODeadline) -> Bool {
        guard isFit(grant.name, grant.placeholder, grant.value), var known = know(grant.name, grant.placeholder) else {
            return false
        }
        traces = nil
        if let value = known.current {
            if grant.grace > 0 {
                known.previous.append((value, now + .milliseconds(Int64(clamping: grant.grace))))
            }
            (known.isNew, known.isRotated) = (true, true)
        }
        known.current = grant.value
        known.dropToken(now)
        held[grant.name] = known
        return true
    }

    /// The secret was removed: its placeholder stands for nothing. What was its value is looked for in answers that are still
    /// to come.
    ///
    /// - Returns: false, as ``take(_:now:)``.
    func revoke(_ name: String, _ placeholder: SecretPlaceholder, now: NIODeadline) -> Bool {
        guard var known = know(name, placeholder) else { return false }
        traces = nil
        if let value = known.current { known.previous.append((value, now + Self.afterlife)) }
        known.current = nil
        known.dropToken(now)
        held[name] = known
        return true
    }

    /// Of a value that was taken away: as long as an answer may take.
    fileprivate static let afterlife = TimeAmount.minutes(10)

    /// What is known of a secret, from now on at least its placeholder; nil: that cannot be its own.
    private func know(_ name: String, _ placeholder: SecretPlaceholder) -> Held? {
        if let known = held[name] { return known.placeholder == placeholder ? known : nil }
        guard rules.names.contains(name), !held.values.contains(where: { $0.placeholder == placeholder }) else {
            return nil
        }
        let known = Held(placeholder: placeholder)
        held[name] = known
        names.append(name)
        matcher = PlaceholderMatcher(names.compactMap { held[$0]?.placeholder })
        return known
    }

    private func isFit(_ name: String, _ placeholder: SecretPlaceholder, _ value: SecretValue) -> Bool {
        placeholder.isPair == rules.isAccessKey(name) && value.withBytes { rules.fault(in: $0, of: name) == nil }
    }

    /// Forgets values whose time is over; nobody else holds them, and they are wiped.
    func tick(_ now: NIODeadline) {
        for name in names where held[name]?.previous.contains(where: { $0.until <= now }) == true {
            held[name]?.previous.removeAll { $0.until <= now }
            traces = nil
        }
    }

    /// For the answer to a request that carries a secret: every value of this jail's that may come back is covered in it.
    func allTraces() throws(Denial) -> SecretTraces {
        if let traces { return traces }
        do {
            let made = try SecretTraces(
                values.map { name, value in
                    SecretTraces.Secret(name: name, value: value.withBytes { bytes in bytes.indices.map { bytes[$0] } })
                })
            traces = made
            return made
        } catch {
            throw Denial(.internalServerError, "the answer could not be looked through: \(error)")
        }
    }

    /// Every value that may come back, with its secret's name.
    var values: [(name: String, value: SecretValue)] {
        names.flatMap { name -> [(name: String, value: SecretValue)] in
            guard let held = held[name] else { return [] }
            let values = [held.current, held.token?.value].compactMap(\.self) + held.previous.map(\.value)
            return (held.placeholder.isPair ? values.flatMap(Self.secretParts) : values).map { (name, $0) }
        }
    }

    /// Of an access key: its id is told to everybody.
    private static func secretParts(_ value: SecretValue) -> [SecretValue] {
        value.withBytes { bytes in
            guard let key = try? AccessKey(bytes) else { return [] }
            return [key.secret, key.token].compactMap(\.self).map { range in SecretValue(range.map { bytes[$0] }) }
        }
    }

    func value(of name: String) -> SecretValue? { held[name]?.current }

    /// What goes into a request now.
    func present(_ name: String) throws(Denial) -> SecretValue {
        guard let value = value(of: name) else {
            throw Denial(.forbidden, "the secret '\(name)' was removed, and has no value any more")
        }
        guard isExchanged(name) else { return value }
        guard let token = token(of: name), .now() < token.end else {
            throw .failure(.serviceUnavailable, "the access token of the secret '\(name)' is too old; try again")
        }
        return token.value
    }

    // MARK: Exchanges

    /// Whether it is a refresh token, which never goes into a request of the jail's.
    func isExchanged(_ name: String) -> Bool { exchanges[name] != nil }

    func token(of name: String) -> AccessToken? { held[name]?.token }

    func refreshToken(of name: String) throws(Denial) -> (SecretExchange, SecretValue) {
        guard let exchange = exchanges[name], let value = value(of: name) else {
            throw Denial(.forbidden, "the secret '\(name)' was removed, and has no value any more")
        }
        return (exchange, value)
    }

    /// What an endpoint gave for the refresh token that counts.
    func keep(_ answer: TokenAnswer, of name: String, _ now: NIODeadline) {
        guard isExchanged(name), var known = held[name], let current = known.current else { return }
        traces = nil
        known.dropToken(now)
        // Never the last minute, or the last quarter of a short time.
        let margin = min(60, answer.lifetime / 4)
        known.token = AccessToken(
            value: answer.token, fresh: now + .seconds(answer.lifetime - margin), end: now + .seconds(answer.lifetime))
        if let next = answer.refresh, !next.isSame(as: current) {
            known.previous.append((current, now + Self.afterlife))
            known.current = next
        }
        held[name] = known
    }

    func dropToken(of name: String, _ now: NIODeadline) { held[name]?.dropToken(now) }

    /// For tests, which do not wait until one is old.
    func set(_ token: AccessToken, of name: String) { held[name]?.token = token }

    /// Told once for each value: its next use after a rotation is what a person waits for.
    func firstUseAfterRotation(of name: String) -> Bool {
        guard let known = held[name], known.isNew else { return false }
        held[name]?.isNew = false
        return known.isRotated
    }

    // MARK: Requests

    var scanner: PlaceholderScanner { PlaceholderScanner(matcher) }

    func name(_ index: Int) -> String { names[index] }

    /// What goes into a request that has been understood. Whether it is allowed is another question.
    ///
    /// - Parameter head: as it came: what is not passed on is looked through as well.
    func examine(_ head: HTTPRequestHead, _ request: CheckedRequest) throws(Denial) -> [SecretUse] {
        let question = request.question
        var uses: [SecretUse] = []
        for binding in rules.bindings where binding.covers(question) {
            guard let placeholder = held[binding.name]?.placeholder else { continue }
            do throws(SigningRefusal) {
                guard let use = try SecretUse(binding, placeholder, in: head, request) else { continue }
                if case .sigV4(let scope) = binding.place { try use.claim?.check(scope, now: System.realtimeSeconds()) }
                uses.append(use)
            } catch { throw error.denial(binding.name) }
        }
        if let index = misplaced(head, request, besides: uses) { throw Self.misuse(names[index]) }
        return uses
    }

    private func misplaced(
        _ head: HTTPRequestHead, _ request: CheckedRequest, besides uses: [SecretUse]
    ) -> Int? {
        // As it came and as it goes on: another spelling of the placeholder is nowhere bound.
        var targets = head.uri == request.path.target ? [head.uri] : [head.uri, request.path.target]
        for use in uses { targets = targets.map(use.masking) }
        let bound = Set(uses.compactMap(\.field))
        let fields = head.headers.filter { !bound.contains($0.name.asciiUppercased) }
        return find(in: [head.method.rawValue] + targets) ?? find(in: fields.map { "\($0.name):\($0.value)" })
            ?? findSplit(fields)
    }

    private func find(in texts: [String]) -> Int? {
        for text in texts {
            var scanner = scanner
            if let index = scanner.feed(text.utf8) { return index }
        }
        return nil
    }

    /// Over several lines, in their order or those of one name.
    private func findSplit(_ fields: [(name: String, value: String)]) -> Int? {
        var whole = scanner
        if let index = whole.feed(fields.lazy.flatMap(\.value.utf8)) { return index }
        var lines: [String: PlaceholderScanner] = [:]
        for (name, value) in fields {
            if let index = lines[name.asciiUppercased, default: scanner].feed(value.utf8) { return index }
        }
        return nil
    }

    // MARK: Everything else

    /// A name that is asked for, its labels together as well.
    func misuse(in name: HostName) -> Denial? {
        let together = name.text.utf8.filter { $0 != UInt8(ascii: ".") }
        return find(in: [name.text, String(decoding: together, as: UTF8.self)]).map { Self.misuse(names[$0]) }
    }

    /// A CONNECT, of which nothing can be bound.
    func misuse(in head: HTTPRequestHead) -> Denial? {
        let fields = head.headers.map { (name: $0.name, value: $0.value) }
        let index = find(in: [head.uri]) ?? find(in: fields.map { "\($0.name):\($0.value)" }) ?? findSplit(fields)
        return index.map { Self.misuse(names[$0]) }
    }

    func misuse(in trailers: HTTPHeaders) -> Denial? {
        let fields = trailers.map { (name: $0.name, value: $0.value) }
        let index = find(in: fields.map { "\($0.name):\($0.value)" }) ?? findSplit(fields)
        return index.map { Self.misuse(names[$0]) }
    }

    static func misuse(_ name: String) -> Denial {
        var denial = Denial(
            .forbidden, "secret-misuse: the placeholder of the secret '\(name)' where that is not bound to")
        denial.rule = "secrets"
        denial.secret = name
        denial.details = [("secretName", .string(name))]
        return denial
    }

    /// The event with names in the place of placeholders.
    func hiding(_ event: EgressEvent) -> EgressEvent {
        var event = event
        for name in names {
            for text in held[name]?.placeholder.parts ?? [] {
                for path in [\EgressEvent.path, \.host, \.reason, \.remedy, \.method] {
                    // Names that were asked for are in lower case.
                    event[keyPath: path] = event[keyPath: path]?.replacing(text, with: "{\(name)}")
                        .replacing(text.lowercased(), with: "{\(name)}")
                }
            }
        }
        return event
    }
}
