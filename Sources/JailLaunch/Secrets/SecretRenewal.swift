internal import JailCore
internal import JailPolicy

/// Reads secrets anew while their jail runs: what callers have changed, one request after another.
final class SecretRenewal {
    private struct Request {
        let note: SecretNote
        let caller: SharedDescriptor
        let names: [String]

        var uid: UInt32? { try? System.peer(of: caller.borrowed).uid }
    }

    private let secrets: JailSecrets
    private var waiting: [Request] = []
    private var current: (request: Request, fetch: SecretFetch)?
    private var notices: [JailNotice] = []

    private static let mostWaiting = 64

    init(_ secrets: JailSecrets) { self.secrets = secrets }

    var pollEntries: [System.PollEntry] { current.map { [$0.fetch.pollEntry] } ?? [] }

    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    /// The answer comes when it is done.
    func ask(_ note: SecretNote, _ caller: SharedDescriptor) {
        let names = secrets.renewable.filter { note.name == nil || note.name == $0 }
        guard !names.isEmpty else {
            return refuse(caller, ExitStatus.notThere, "secrets: this jail binds no such secret of the store")
        }
        guard waiting.count < Self.mostWaiting else {
            return refuse(caller, ExitStatus.exists, "secrets: too many changes at the same time; try again")
        }
        waiting.append(Request(note: note, caller: caller, names: names))
        startNext()
    }

    private func startNext() {
        while current == nil, !waiting.isEmpty {
            let request = waiting.removeFirst()
            do throws(SystemError) {
                current = (request, try SecretFetch(request.names, secrets.rules, store: secrets.store))
            } catch { fail(request, "\(error.call.name): \(error.errno)") }
        }
    }

    /// - Parameter give: hands a value to the gateway, if there is one just now.
    func handle(
        _ ready: System.PollResult, give: (JailSecrets.Grant) throws(SystemError) -> Void
    ) throws(SystemError) {
        guard let (request, fetch) = current else { return }
        let results: [String: SecretFetch.Result]
        do throws(SystemError) {
            guard let taken = try fetch.take(ready) else { return }
            results = taken
        } catch {
            fetch.kill()
            current = nil
            fail(request, "the process that asks for secrets ended without an answer")
            return startNext()
        }
        current = nil
        var faults: [String] = []
        for name in request.names {
            guard let result = results[name] else { continue }
            let (outcome, grant) = secrets.renew(name, result)
            if let grant { try give(grant) }
            if case .kept(let reason) = outcome { faults.append(reason) }
            tell(request, name, outcome)
        }
        if let fault = faults.first {
            refuse(request.caller, ExitStatus.configuration, fault)
        } else {
            reply(.done, to: request.caller)
        }
        startNext()
    }

    private func fail(_ request: Request, _ reason: String) {
        for name in request.names { tell(request, name, .kept(reason)) }
        refuse(request.caller, ExitStatus.launchFailed, "secrets: \(reason)")
    }

    private func tell(_ request: Request, _ name: String, _ outcome: JailSecrets.Outcome) {
        let (note, uid) = (request.note, request.uid)
        switch outcome {
        case .same: notices.append(.event(note.event(name, "same", uid: uid)))
        case .renewed:
            notices.append(.event(note.event(name, "renewed", uid: uid)))
            notices.append(.note("the secret '\(name)' has another value from now on"))
        case .removed:
            notices.append(.event(note.event(name, "removed", uid: uid)))
            notices.append(.note("the secret '\(name)' was removed: requests with its placeholder are denied"))
        case .kept(let reason):
            notices.append(.event(note.event(name, "failed", uid: uid, message: reason)))
            notices.append(.note("the secret '\(name)' stays as it was: \(reason)"))
        }
    }

    private func refuse(_ caller: SharedDescriptor, _ status: Int32, _ text: String) {
        reply(.refused(status, text), to: caller)
    }

    /// A caller that is gone hears nothing.
    private func reply(_ reply: ControlReply, to caller: SharedDescriptor) {
        withExtendedLifetime(caller) { try? System.send(caller.borrowed, reply.bytes) }
    }
}
