import EgressControl
import NIOCore
import Synchronization
import Testing

@testable import EgressGateway

/// Values that change while requests are under way.
@Suite(.timeLimit(.minutes(3))) struct `Rotation of secrets` {
    private static let clients = 5
    private static let rounds = 8

    private static func value(_ round: Int) -> String { "sk-value-number-\(round)-of-many" }

    /// What the origin takes at the moment, and what it was given.
    private final class Door: Sendable {
        private let state = Mutex((open: Set([value(0)]), used: Set<String>()))

        func open(_ value: String) { state.withLock { _ = $0.open.insert(value) } }
        func close(_ value: String) { state.withLock { _ = $0.open.remove(value) } }
        var used: Set<String> { state.withLock(\.used) }

        /// Says what it was given, which nobody inside may see.
        func answer(_ request: Origin.Received) -> [Origin.Step] {
            guard request.isComplete else { return [] }
            let value = String((request["Authorization"] ?? "").dropFirst("Bearer ".count))
            let isOpen = state.withLock { state in
                state.used.insert(value)
                return state.open.contains(value)
            }
            let body = "<\(value)>"
            return [
                .send("HTTP/1.1 \(isOpen ? "200 OK" : "401 No")\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            ]
        }
    }

    /// How many requests each client has done.
    private final class Progress: Sendable {
        private let state = Mutex((done: [Int](repeating: 0, count: clients), isOver: false, failures: [String]()))

        var isOver: Bool { state.withLock(\.isOver) }
        var failures: [String] { state.withLock(\.failures) }
        var done: Int { state.withLock { $0.done.reduce(0, +) } }
        func end() { state.withLock { $0.isOver = true } }

        func count(_ client: Int, _ answer: String) {
            state.withLock { state in
                state.done[client] += 1
                if !answer.contains("200") || !answer.contains("<***") || answer.contains("sk-value") {
                    state.failures.append(answer)
                }
            }
        }

        /// Each has begun one since, and has an answer to it.
        func everybodyGoesOn() async -> Bool {
            let before = state.withLock(\.done)
            return await eventually { self.state.withLock { zip($0.done, before).allSatisfy { $0 >= $1 + 2 } } }
        }
    }

    private static func loop(_ jail: SecretJail, _ progress: Progress, _ number: Int) async throws {
        let client = try await Client.connect(jail.way.port)
        try await client.secure(jail.way.gateway.clientContext(["http/1.1"]), "a.test")
        while !progress.isOver {
            try await client.send(jail.way.text("GET", "/", "Authorization: Bearer \(SecretJail.placeholder)\r\n"))
            progress.count(number, try await client.receive(until: ">"))
            client.forget()
        }
        client.close()
    }

    private static func loopOverHTTP2(_ jail: SecretJail, _ progress: Progress, _ number: Int) async throws {
        let client = try await HTTP2Client.connect(jail.way)
        let fields = client.ask(jail.way, "GET", "/", [("authorization", "Bearer \(SecretJail.placeholder)")])
        while !progress.isOver {
            let heard = try await client.ask(fields)
            progress.count(number, "\(heard.status ?? "-") \(heard.text)")
        }
        client.close()
    }

    @Test func `no request fails, each new value is used, and none is seen`() async throws {
        let door = Door()
        let jail = try await SecretJail.open(
            "inject: 'bearer'", value: Self.value(0), network: "budgets: { requestsPerMinute: 100000 }",
            kind: .http(door.answer))
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.clients {
                group.addTask {
                    number < 3
                        ? try await Self.loop(jail, progress, number)
                        : try await Self.loopOverHTTP2(jail, progress, number)
                }
            }
            for round in 1...Self.rounds {
                #expect(await progress.everybodyGoesOn())
                door.open(Self.value(round))
                try await jail.give(Self.value(round), grace: 60_000)
                // From here on nobody's request is under way that began before.
                #expect(await progress.everybodyGoesOn())
                door.close(Self.value(round - 1))
            }
            #expect(await progress.everybodyGoesOn())
            progress.end()
            try await group.waitForAll()
        }
        #expect(
            progress.failures.isEmpty, "\(progress.failures.count) of \(progress.done): \(progress.failures.prefix(3))")
        #expect(door.used == Set((0...Self.rounds).map(Self.value)))
        let told = try await jail.way.gateway.events().filter { $0.subject == .gateway && $0.secret == "key" }
        #expect(told.count == Self.rounds)
    }
}
