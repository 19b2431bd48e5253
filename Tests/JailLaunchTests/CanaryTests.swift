import EgressControl
import JailCore
import JailPolicy
import SecretTraces
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `Canaries of a jail` {
    private static func planted() -> PlantedCanaries {
        PlantedCanaries([
            CanaryPlan(.aws, .file("/home/claw/.aws/credentials")), CanaryPlan(.ssh, .file("/k")),
            CanaryPlan(.github, .variable("TOKEN")),
        ])
    }

    private static func events(_ watch: CanaryWatch) -> [[(String, JSON)]] {
        watch.takeNotices().compactMap { notice in
            if case .event(.object(let members)) = notice { members } else { nil }
        }
    }

    private static func text(_ members: [(String, JSON)], _ key: String) -> String? {
        if case .string(let text)? = members.first(where: { $0.0 == key })?.1 { text } else { nil }
    }

    @Test func `each jail has its own, and what is told of them says nothing of what they say`() {
        let (one, two) = (Self.planted(), Self.planted())
        #expect(Set(one.texts).isDisjoint(with: two.texts))
        #expect(Set(one.canaries.map(\.id)).isDisjoint(with: two.canaries.map(\.id)))
        let shown = one.json.text()
        for canary in one.canaries {
            #expect(shown.contains(canary.id))
            for mark in canary.marks { #expect(!shown.contains(String(decoding: mark, as: UTF8.self))) }
        }
        #expect(shown.contains("/home/claw/.aws/credentials") && shown.contains("TOKEN"))
    }

    @Test func `the terminal, standard output and the log are told of, and go on`() throws {
        let planted = Self.planted()
        let watch = try CanaryWatch(planted)
        let look = watch.outputLook("standard output")
        let text = Array("a line\n\(planted.texts[0])".utf8)
        for byte in text { #expect(look([byte])) }
        let told = Self.events(watch)
        #expect(told.map { Self.text($0, "id") } == [planted.canaries[0].id])
        #expect(told.map { Self.text($0, "place") } == ["log"] && Self.text(told[0], "kind") == "aws")
        #expect(Self.text(told[0], "to") == "standard output")
        // Once for each stream.
        #expect(look(text[...]) && Self.events(watch).isEmpty)
    }

    @Test func `an answer of a published port does not go on`() throws {
        let planted = Self.planted()
        let watch = try CanaryWatch(planted)
        let look = watch.portInspector(18789)
        #expect(look(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)[...]))
        #expect(!look(Array("x=\(planted.canaries[2].token ?? "")".utf8)[...]))
        let told = Self.events(watch)
        #expect(told.map { Self.text($0, "verdict") } == ["denied"])
        #expect(told.map { Self.text($0, "to") } == ["18789"])
        #expect(told.map { Self.text($0, "place") } == ["published-port"])
    }

    @Test func `of what the way out says, only what can be so is told`() throws {
        let planted = Self.planted()
        let watch = try CanaryWatch(planted)
        var event = EgressEvent(.canary, .denied, time: 1)
        (event.canary, event.place) = (planted.canaries[0].id, "upload")
        (event.host, event.port) = ("a.test", 443)
        #expect(watch.take(event))
        #expect(Self.events(watch).map { Self.text($0, "to") } == ["a.test:443"])
        for (id, place) in [("aws-x", "upload"), (planted.canaries[0].id, "log"), (planted.canaries[0].id, "?")] {
            (event.canary, event.place) = (id, place)
            #expect(!watch.take(event))
        }
        #expect(watch.takeNotices().isEmpty)
    }

    @Test func `a flood is few events in one turn, and few lines`() throws {
        let planted = Self.planted()
        let watch = try CanaryWatch(planted)
        for _ in 0..<1000 { _ = watch.portInspector(1)(Array(planted.texts[0].utf8)[...]) }
        let notices = watch.takeNotices()
        #expect(notices.count < 100)
        #expect(notices.count { if case .note = $0 { true } else { false } } <= 1)
    }

    @Test func `those on the host are looked for by jails that have some, and forgotten by their id`() throws {
        let directory = try TemporaryDirectory()
        let state = directory.path
        #expect(try CanaryRegister.all(in: state).isEmpty)
        let canary = try #require(CanaryRegister.make([.environment]).first)
        try CanaryRegister.add(canary, at: "/w/.env", in: state)
        let registered = try CanaryRegister.all(in: state)
        #expect(registered == [RegisteredCanary(known: canary.known, kind: .environment, path: "/w/.env")])
        let watch = try CanaryWatch(PlantedCanaries([CanaryPlan(.aws, .file("/a"))], registered: registered))
        #expect(!watch.portInspector(1)(Array(canary.text.utf8)[...]))
        #expect(Self.events(watch).map { Self.text($0, "id") } == [canary.id])
        #expect(PlantedCanaries([], registered: registered).known.isEmpty)
        #expect(try CanaryRegister.remove("env-000000000000", in: state) == nil)
        #expect(try CanaryRegister.remove(canary.id, in: state) == "/w/.env")
        #expect(try CanaryRegister.all(in: state).isEmpty)
    }

    @Test func `one on the host that cannot be read is an error`() throws {
        let directory = try TemporaryDirectory()
        let state = directory.path
        let canary = try #require(CanaryRegister.make([.slack]).first)
        try CanaryRegister.add(canary, at: "/w", in: state)
        let file = "\(state)/canaries/\(canary.id).json"
        let text = try System.readFile(file)
        try System.rename(file, to: "\(state)/canaries/slack-000000000000.json")
        #expect(throws: JailError.self) { _ = try CanaryRegister.all(in: state) }
        try System.unlink("\(state)/canaries/slack-000000000000.json")
        for bad in [[], Array("{}".utf8), Array(text.dropLast(10))] {
            let written = try System.open(file, [.writeOnly, .create, .truncate], mode: 0o600)
            try System.writeAll(written.borrowed, bad)
            #expect(throws: JailError.self) { _ = try CanaryRegister.all(in: state) }
        }
    }
}
