import Foundation
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

/// What alerts tell others.
struct `Actions of alerts` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static func alert(_ name: String = "r", seen: String) -> Alert {
        var rule = AlertRule(name: name, watch: .hosts)
        rule.severity = .critical
        return Alert(rule: rule, seen: seen, count: 1, isFirst: true)
    }

    private func listener(_ name: String) throws -> (socket: SharedDescriptor, path: String) {
        let path = "\(directory.path)/\(name)"
        let socket = SharedDescriptor(try System.makeUnixSocket(.datagram))
        try System.bind(socket.borrowed, path: path)
        try System.setNonBlocking(socket.borrowed)
        return (socket, path)
    }

    @Test func `the journal gets fields of one line each`() throws {
        let (socket, path) = try listener("journal")
        try JournalSocket(identifier: "clawjail", facility: .daemon, journal: path, syslog: "/nowhere").send(
            Self.alert(seen: "a\nPRIORITY=0\u{1B}"), jail: "j")
        let text = String(decoding: try System.receive(socket.borrowed, most: 65536).bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 7)
        #expect(lines[0].hasPrefix("MESSAGE=jail 'j': r: a host like") && lines[0].hasSuffix("a\\nPRIORITY=0\\u{1b}"))
        #expect(lines.contains("PRIORITY=2") && lines.contains("CLAWJAIL_RULE=r") && lines.contains("CLAWJAIL_JAIL=j"))
        #expect(lines.last?.hasPrefix("CLAWJAIL_ALERT={\"event\":\"alert\"") == true)
    }

    @Test func `without a journal syslog gets a line, and without both it is an error`() throws {
        let (socket, path) = try listener("log")
        try JournalSocket(identifier: "clawjail", facility: .daemon, journal: "/nowhere", syslog: path).send(
            Self.alert(seen: "a\nb"), jail: "j")
        let text = String(decoding: try System.receive(socket.borrowed, most: 65536).bytes, as: UTF8.self)
        #expect(text.hasPrefix("<26>clawjail[") && text.hasSuffix("a\\nb"))
        #expect(throws: SystemError.self) {
            try JournalSocket(identifier: "clawjail", facility: .daemon, journal: "/nowhere", syslog: "/nowhere").send(
                Self.alert(seen: "a"), jail: "j")
        }
    }

    @Test func `a queue that is full does not make anybody wait`() throws {
        let (socket, path) = try listener("journal")
        let journal = JournalSocket(identifier: "clawjail", facility: .daemon, journal: path, syslog: "/nowhere")
        #expect(throws: SystemError.self) {
            for _ in 0..<100_000 { try journal.send(Self.alert(seen: "a"), jail: "j") }
        }
        withExtendedLifetime(socket) {}
    }

    @Test func `a notification has nothing of the jail's among its arguments`() throws {
        var plan = AlertsPlan(rules: [])
        plan.programs[.desktop] = HostCommandPlan(purpose: "p", path: "/x", arguments: ["notify-send"])
        let alert = Self.alert(seen: "--chosen.onion")
        let (command, input) = try #require(AlertPrograms.prepare(.desktop, alert, of: plan, jail: "j"))
        #expect(input.isEmpty && !command.arguments.joined().contains("chosen"))
        #expect(command.arguments.prefix(4) == ["notify-send", "--app-name=clawjail", "--urgency=critical", "--"])
    }

    @Test func `curl reads back what a webhook is told, whatever is in it`() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/curl") else { return }
        let received = "\(directory.path)/received"
        let address = try WebhookAddress.parse("http://127.0.0.1:\(try Self.serve(once: received))/hook?a=b")
        var plan = AlertsPlan(rules: [], webhook: address)
        plan.programs[.webhook] = .webhook("/usr/bin/curl", encrypted: false, key: "alerts.webhook")
        let alert = Self.alert(seen: "a\"b\\c\nd\u{7}é @x")
        let (command, input) = try #require(AlertPrograms.prepare(.webhook, alert, of: plan, jail: "j"))
        #expect(!command.arguments.contains { $0.contains("127.0.0.1") })
        let commands = HostCommands()
        commands.start(command, input: input)
        commands.finish(patience: 10_000_000_000)
        #expect(commands.takeNotices().isEmpty)
        let request = try directory.read("received")
        #expect(
            request.hasPrefix("POST /hook?a=b HTTP/1.1\r\n") && request.contains("Content-Type: application/json\r\n"))
        let body = try #require(request.components(separatedBy: "\r\n\r\n").last)
        let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        #expect(object?["seen"] as? String == alert.seen && object?["event"] as? String == "alert")
        #expect((object?["text"] as? String)?.contains("jail 'j'") == true)
    }

    /// A server that answers one request, and keeps it.
    private static func serve(once path: String) throws -> UInt16 {
        let listener = SharedDescriptor(try System.makeInternetSocket(nonBlocking: false))
        try System.bind(listener.borrowed, address: 0x7F00_0001, port: 0)
        try System.listen(listener.borrowed)
        let port = try System.localPort(listener.borrowed)
        let number = listener.take().release()
        Thread.detachNewThread {
            let client = accept(number, nil, nil)
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while !String(decoding: bytes, as: UTF8.self).hasSuffix("}") {
                let count = unsafe read(client, &buffer, buffer.count)
                guard count > 0 else { break }
                bytes += buffer.prefix(count)
            }
            _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
            let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
            _ = unsafe write(client, answer, answer.count)
            close(client)
            close(number)
        }
        return port
    }

    @Test func `a rule is tried without a jail`() throws {
        var plan = AlertsPlan(rules: [])
        plan.programs[.command] = HostCommandPlan(
            purpose: "alerts.command", path: "/bin/sh",
            arguments: ["sh", "-c", "cat > \"$1\"; exit 3", "sh", "\(directory.path)/out"])
        var rule = AlertRule(name: "r", watch: .denials)
        rule.actions = [.command, .pause]
        let outcomes = AlertTest.fire(rule, of: plan, jail: "test")
        #expect(outcomes.count == 1 && outcomes[0].failure?.contains("exit status 3") == true)
        #expect(try directory.read("out").contains("\"seen\":\"a test\""))
    }
}
