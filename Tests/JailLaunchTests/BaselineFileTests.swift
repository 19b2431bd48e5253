import Foundation
import JailCore
import JailPlan
import TestSupport
import Testing

@testable import JailLaunch

/// What is usual for a jail, on disk.
struct `Baseline files` {
    private let directory: TemporaryDirectory
    private var file: BaselineFile { BaselineFile(path: "\(directory.path)/baselines/jail.json") }

    init() throws { directory = try TemporaryDirectory() }

    private static func sample() throws -> Baseline {
        var baseline = Baseline(began: 1_700_000_000)
        for hour: Int64 in 0..<200 {
            let event: JSON = [
                "event": "network", "subject": "request", "verdict": "allowed", "host": .string("h\(hour).example"),
                "received": .integer(hour << 20),
            ]
            _ = baseline.learn(try #require(AlertFacts(event)), wall: 1_700_000_000 + hour * 3600)
        }
        return baseline
    }

    @Test func `what is written is what is read, and nobody else's`() throws {
        let sample = try Self.sample()
        try file.write(sample)
        #expect(file.read(wall: 1).baseline == sample && file.read(wall: 1).refusal == nil)
        #expect(try System.status(file.path).permissions == 0o600)
        #expect(try System.status(file.path.parentPath).permissions == 0o700)
        // Over the one before, whole or not at all.
        try file.write(Baseline(began: 7))
        #expect(file.read(wall: 1).baseline == Baseline(began: 7))
        #expect(try directory.names("baselines") == ["jail.json"])
    }

    @Test func `without a file everything is new`() {
        let (baseline, refusal) = file.read(wall: 99)
        #expect(baseline == Baseline(began: 99) && refusal == nil)
    }

    private static let good =
        #"{"version":1,"began":5,"hosts":["a.example"],"hours":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"#
        + #""volumes":[1,2],"hour":3,"volume":4}"#

    @Test func `the form is known`() {
        #expect(BaselineFile.parse(Array(Self.good.utf8)) != nil)
    }

    @Test(arguments: [
        ("\"version\":1", "\"version\":2"), ("\"began\":5", "\"began\":-5"), ("\"began\":5", "\"began\":\"5\""),
        ("a.example", "a\\u0000b"), ("\"a.example\"", "\"a\",\"a\""), ("\"a.example\"", "1"), ("\"a.example\"", "\"\""),
        (",1]", "]"), (",1]", ",1,1]"), (",1]", ",-1]"), (",1]", ",4294967296]"), ("[1,2]", "[1.5]"),
        ("[1,2]", "[17592186044417]"), ("\"hour\":3", "\"hour\":-2"), ("\"hour\":3", "\"hour\":9223372036854775807"),
        ("\"volume\":4", "\"volume\":-4"), ("\"volume\":4", "\"volume\":4,\"volume\":4"),
        ("\"volume\":4", "\"volume\":4,\"x\":1"),
        (",\"volume\":4", ""), ("{", "["), ("}", ""),
    ])
    func `anything else is not taken`(part: String, change: String) throws {
        let text = Self.good.replacing(part, with: change)
        #expect(text != Self.good && BaselineFile.parse(Array(text.utf8)) == nil)
        try FileManager.default.createDirectory(atPath: file.path.parentPath, withIntermediateDirectories: true)
        try directory.file("baselines/jail.json", text)
        try System.changeMode(file.path, 0o600)
        let (baseline, refusal) = file.read(wall: 9)
        #expect(baseline == Baseline(began: 9) && refusal?.contains("not what clawjail writes") == true)
    }

    @Test func `too many hosts, or hours, are not taken`() {
        let hosts = (0...Baseline.mostHosts).map { "\"h\($0)\"" }.joined(separator: ",")
        #expect(BaselineFile.parse(Array(Self.good.replacing("\"a.example\"", with: hosts).utf8)) == nil)
        let volumes = (0...Baseline.mostVolumes).map { "\($0)" }.joined(separator: ",")
        #expect(BaselineFile.parse(Array(Self.good.replacing("1,2", with: volumes).utf8)) == nil)
        let long = String(repeating: "a", count: 256)
        #expect(BaselineFile.parse(Array(Self.good.replacing("a.example", with: long).utf8)) == nil)
    }

    @Test func `what is no plain file of one's own is not read`() throws {
        try directory.directory("baselines")
        let target = try directory.file("elsewhere", Self.good)
        try System.changeMode(target, 0o600)
        try System.makeSymlink(file.path, to: target)
        #expect(file.read(wall: 9).refusal != nil)
        try System.unlink(file.path)
        unsafe mkfifo(file.path, 0o600)
        #expect(file.read(wall: 9).refusal != nil)
        try System.unlink(file.path)
        try directory.file("baselines/jail.json", Self.good)
        try System.changeMode(file.path, 0o644)
        #expect(file.read(wall: 9).refusal != nil)
        try System.changeMode(file.path, 0o600)
        #expect(file.read(wall: 9).refusal == nil)
        try directory.file("baselines/jail.json", String(repeating: " ", count: BaselineFile.sizeLimit + 1))
        #expect(file.read(wall: 9).refusal != nil)
    }

    @Test func `a link where the next one is made is not followed`() throws {
        try directory.directory("baselines", mode: 0o700)
        let target = try directory.file("elsewhere", "mine")
        try System.makeSymlink(file.path + ".new", to: target)
        try file.write(Baseline(began: 7))
        #expect(try directory.read("elsewhere") == "mine")
        #expect(file.read(wall: 1).baseline == Baseline(began: 7))
    }
}
