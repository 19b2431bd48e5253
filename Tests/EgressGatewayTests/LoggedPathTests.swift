import EgressControl
import Testing

struct `Tokens in paths` {
    private static let token = "bot123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

    @Test(arguments: [
        "/\(token)/sendMessage",
        // An excerpt of it would end within the token.
        "/" + String(repeating: "a", count: 50) + "/\(token)",
        // Written in another way where it is a pattern.
        "/*/\(token)",
    ])
    func `are told to nobody, denied or allowed`(path: String) async throws {
        let way = try await Way.open("methods: ['GET'], paths: ['/v1/**']")
        #expect(try await way.ask(way.text("GET", "/v1\(path)", Way.close)).hasPrefix("HTTP/1.1 200 "))
        #expect(try await way.ask(way.text("GET", path)).hasPrefix("HTTP/1.1 403 "))
        let events = try await way.gateway.events()
        #expect(events.map(\.verdict) == [.allowed, .denied])
        for event in events {
            #expect(event.path?.contains("/bot123…") == true)
            #expect(!event.line.contains("AAHdqTcv"), "\(event.line)")
        }
        #expect(events.last?.remedy?.contains("/bot123…") == true)
    }
}
