import JailCore
import JailPolicy
import Testing

@testable import JailLearning

@Suite("Records of learning")
struct ObservationFileTests {
    static let start = LearnedRun.Start(
        name: "research-1", profile: "research", profileFiles: ["/etc/clawjail/profiles/research.json5"],
        plan: "sha256:00", command: ["node", "a\n.js"], started: "2026-11-30T04:15:00Z")

    static func network() -> NetworkSubjectFields {
        var fields = NetworkSubjectFields(host: "api.example.org")
        fields.port = 443
        fields.scheme = "https"
        fields.method = "POST"
        fields.path = "/v1/items"
        fields.isWebSocket = true
        return fields
    }

    static let observations: [Observation] = [
        Observation(.file(path: "/srv/ä\u{202E}\"\\\n", access: .write), .denied, errno: "EROFS", program: "/bin/sh"),
        Observation(.program("git"), .denied, .predicted, errno: "ENOENT", count: 7),
        Observation(.systemCall("io_uring_setup"), .denied, errno: "ENOSYS", program: "/usr/bin/node", count: 2),
        Observation(.bind(port: 80), .denied, errno: "EACCES"),
        Observation(.network(network()), .permitted),
        Observation(.network(NetworkSubjectFields(host: "a.example")), .used),
        Observation(.limit(name: "memory", value: "512M"), .denied, program: "/usr/bin/python3.13"),
    ]

    @Test("are read as they were written")
    func roundTrip() throws {
        let run = LearnedRun(
            start: Self.start, observations: Self.observations,
            end: .init(ended: "2026-11-30T04:16:00Z", status: 137, leftOut: 3, isIncomplete: true))
        #expect(try ObservationFile.read(Array(ObservationFile.text(run).utf8), file: "r") == run)
        let running = LearnedRun(start: Self.start)
        #expect(try ObservationFile.read(Array(ObservationFile.text(running).utf8), file: "r") == running)
    }

    @Test("have members of fixed names")
    func names() {
        #expect(
            Self.observations.prefix(2).map { $0.json.text() } == [
                #"{"kind":"file","path":"/srv/ä\u202e\"\\\n","access":"write","outcome":"denied","knowledge":"observed","#
                    + #""errno":"EROFS","program":"/bin/sh","count":1}"#,
                #"{"kind":"program","name":"git","outcome":"denied","knowledge":"predicted","errno":"ENOENT","count":7}"#,
            ])
        #expect(
            Self.observations[4].json.text()
                == #"{"kind":"network","host":"api.example.org","port":443,"scheme":"https","method":"POST","#
                + #""path":"/v1/items","websocket":true,"outcome":"permitted","knowledge":"observed","count":1}"#)
    }

    static let first = ObservationFile.line(start).text() + "\n"
    static let last = #"{"ended":"2026-11-30T04:16:00Z","status":0}"# + "\n"
    static let one = observations[3].json.text() + "\n"

    /// A record whose second line is an observation that was changed.
    private static func changed(_ index: Int, _ old: String, _ new: String) -> String {
        first + observations[index].json.text().replacing(old, with: new) + "\n"
    }

    static let broken: [String] = ["", "\n", one, last, "[]\n"]
    static let misplaced: [String] = [
        first + "\n", first + "{}\n", first + first, first + last + one, first + last + last, first + "[]\n",
        String((first + one).dropLast()),
    ]
    static let otherStarts: [String] = [
        first.replacing("\"version\":1", with: "\"version\":2"), first.replacing("\"learn\"", with: "\"other\""),
        first.replacing("[\"node\",", with: "[7,"), first + last.replacing("0}", with: "4294967296}"),
    ]
    static let otherObservations: [String] = [
        changed(3, "bind", "bound"), changed(3, "80", "65536"), changed(3, "EACCES", "eaccess"),
        changed(3, "\"count\":1", "\"count\":0"), changed(3, "denied", "granted"), changed(3, "}", ",\"more\":1}"),
        changed(3, "\"count\":1", "\"count\":1,\"count\":1"), changed(0, "/srv", "srv"),
        changed(0, "\"write\"", "\"any\""), changed(4, "https", "gopher"),
    ]

    @Test("are refused where they are anything else", arguments: broken + misplaced + otherStarts + otherObservations)
    func refused(_ text: String) {
        #expect(throws: JailError.self) { try ObservationFile.read(Array(text.utf8), file: "r") }
    }

    @Test("are bounded: size, number and texts")
    func bounded() {
        let many = Self.first + String(repeating: Self.one, count: ObservationFile.mostObservations + 1)
        #expect(throws: JailError.self) { try ObservationFile.read(Array(many.utf8), file: "r") }
        let large = Self.first + String(repeating: " ", count: ObservationFile.sizeLimit) + "\n"
        #expect(throws: JailError.self) { try ObservationFile.read(Array(large.utf8), file: "r") }
        let path = "/" + String(repeating: "a", count: ObservationFile.textLimit)
        let long = Self.first + Self.one.replacing("EACCES\"", with: "EACCES\",\"program\":\"\(path)\"")
        #expect(throws: JailError.self) { try ObservationFile.read(Array(long.utf8), file: "r") }
        let deep = Self.first + String(repeating: "[", count: 100_000) + "\n"
        #expect(throws: JailError.self) { try ObservationFile.read(Array(deep.utf8), file: "r") }
    }

    @Test("cut what is too long where they are written")
    func cut() throws {
        let path = "/" + String(repeating: "ä", count: ObservationFile.textLimit)
        let run = LearnedRun(start: Self.start, observations: [.init(.file(path: path, access: .read), .denied)])
        let read = try ObservationFile.read(Array(ObservationFile.text(run).utf8), file: "r")
        guard case .file(let cut, _)? = read.observations.first?.subject else {
            Issue.record("no file")
            return
        }
        #expect(cut.utf8.count == ObservationFile.textLimit - 1 && path.hasPrefix(cut))
    }
}

@Suite("A tally of observations")
struct ObservationTallyTests {
    let read = Observation(.file(path: "/a", access: .read), .denied, errno: "ENOENT", program: "/bin/sh")

    @Test("counts what is the same, and keeps the order")
    func counts() {
        var tally = ObservationTally()
        var other = read
        other.program = "/bin/cat"
        for observation in [read, other, read, read] { tally.add(observation) }
        #expect(tally.observations.map(\.count) == [3, 1])
        #expect(tally.observations.map(\.program) == ["/bin/sh", "/bin/cat"])
        #expect(tally.leftOut == 0)
    }

    @Test("has room for so many, and half of it for what was only used")
    func room() {
        var tally = ObservationTally(most: 4)
        for number in 1...3 { tally.add(.init(.bind(port: UInt16(number)), .used)) }
        #expect(tally.observations.count == 2 && tally.leftOut == 1)
        for number in 1...3 { tally.add(.init(.bind(port: UInt16(number)), .denied)) }
        #expect(tally.observations.count == 4 && tally.leftOut == 2)
        tally.add(.init(.bind(port: 1), .denied))
        #expect(tally.observations[2].count == 2)
    }

    @Test("has room for so many bytes")
    func bytes() {
        let size = read.json.text().utf8.count + 20
        var tally = ObservationTally(mostBytes: 2 * size)
        for name in ["/a", "/b", "/c"] {
            tally.add(.init(.file(path: name, access: .read), .denied, errno: "ENOENT", program: "/bin/sh"))
        }
        #expect(tally.observations.count == 2 && tally.leftOut == 1)
    }

    @Test("does not overflow")
    func overflow() {
        var tally = ObservationTally()
        for count in [Int.max, 5] {
            tally.add(.init(.bind(port: 1), .denied, count: count))
            tally.add(leftOut: count)
        }
        #expect(tally.observations[0].count == .max && tally.leftOut == .max)
    }
}
