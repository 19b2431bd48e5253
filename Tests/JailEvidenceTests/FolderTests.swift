import JailCore
import TestSupport
import Testing

@testable import JailEvidence

@Suite(.needs("tar", "zstd", "sha256sum")) struct `A folder of evidence` {
    private let place: TemporaryDirectory

    init() throws { place = try TemporaryDirectory() }

    private func unpacked(_ name: String) throws -> TemporaryDirectory {
        let target = try TemporaryDirectory()
        let archive = "\(place.path)/evidence/\(name).tar.zst"
        let done = try Program.run("/usr/bin/tar", ["-C", target.path, "-xf", archive])
        #expect(done.status == 0, "\(done.output)")
        return target
    }

    @Test func `is sealed as one archive that names the digest of each part`() throws {
        try place.file("log", "a line")
        let folder = try EvidenceFolder(in: place.path, name: "j-1")
        try folder.add("plan.json", ["a": 1])
        try folder.add("output.log", copying: "\(place.path)/log")
        try folder.add("output.log.1", copying: "\(place.path)/none")
        let digest = try folder.seal([("name", "j")])
        folder.discard()
        #expect(try place.names("evidence") == ["j-1.tar.zst"])
        #expect(try System.status("\(place.path)/evidence/j-1.tar.zst").permissions == 0o400)
        let sum = try Program.run("/usr/bin/sha256sum", ["\(place.path)/evidence/j-1.tar.zst"])
        #expect(sum.output.hasPrefix(digest + " "))
        let target = try unpacked("j-1")
        #expect(try target.names("j-1") == ["manifest.json", "output.log", "plan.json"])
        let part = try Program.run("/usr/bin/sha256sum", ["\(target.path)/j-1/output.log"])
        #expect(try target.read("j-1/manifest.json").contains(part.output.prefix(64)))
    }

    @Test func `takes trees with everything that could be in the way`() throws {
        let tree = try place.directory("tree")
        let done = try Program.run(
            "/bin/sh",
            [
                "-c",
                "cd \"$0\" && mkfifo fifo && ln -s /etc/passwd link && ln -s / root && truncate -s 1T huge && "
                    + "echo x > ./--checkpoint-action=exec=touch && echo y > 'new\nline' && mkdir -p a/b && echo deep > a/b/c",
                tree,
            ])
        #expect(done.status == 0, "\(done.output)")
        let opened = try System.open(tree, [.readOnly, .directory])
        let folder = try EvidenceFolder(in: place.path, name: "j-2")
        try folder.add("files.tar.zst", treeAt: opened.borrowed)
        _ = try folder.seal([])
        folder.discard()
        let target = try unpacked("j-2")
        let list = try Program.run("/usr/bin/tar", ["-tvf", "\(target.path)/j-2/files.tar.zst"])
        #expect(list.output.contains("./link -> /etc/passwd") && list.output.contains("./a/b/c"))
        #expect(list.output.contains("1099511627776") && !list.output.contains("./root" + "/etc"))
        // Written a moment ago, and without blocks on some file systems: not a hole.
        let deep = try Program.run("/usr/bin/tar", ["-xOf", "\(target.path)/j-2/files.tar.zst", "./a/b/c"])
        #expect(deep.output == "deep\n")
    }

    @Test func `that has no room is an error, and leaves nothing`() throws {
        var limits = EvidenceLimits()
        limits.bytes = 1 << 10
        let tree = try place.directory("tree")
        try place.file("tree/random", String((0..<400_000).map { _ in "abcdefghijklmnop".randomElement() ?? "x" }))
        let opened = try System.open(tree, [.readOnly, .directory])
        let folder = try EvidenceFolder(in: place.path, name: "j-3", limits: limits)
        try place.file("big", String(repeating: "x", count: 2000))
        #expect(throws: JailError.self) { try folder.add("big", copying: "\(place.path)/big") }
        #expect(throws: JailError.self) { try folder.add("files.tar.zst", treeAt: opened.borrowed) }
        folder.discard()
        #expect(try place.names("evidence").isEmpty)
    }

    @Test func `of somebody else's directory is refused`() throws {
        try place.directory("evidence", mode: 0o755)
        #expect(throws: JailError.self) { try EvidenceFolder(in: place.path, name: "j") }
    }
}

struct `What may be a secret` {
    @Test func `is not in command lines`() {
        let words = ["curl", "--token=abc", "-H", "Authorization: x", "--data", "@f", "-psecret", "--", "sk-1"]
        #expect(
            EvidenceText.redacted(words) == [
                "curl", "--token=(3 bytes)", "-H", "(16 bytes)", "--data", "(2 bytes)", "(8 bytes)", "(2 bytes)",
                "(4 bytes)",
            ])
    }

    @Test func `is not among the names of variables`() {
        let environment = ["PATH=/bin", "sk-live-1234", "A B=c", "=x"].map { Array($0.utf8) }
        #expect(EvidenceText.names(environment).text() == "[\"PATH\",\"(3 that are no variables)\"]")
    }
}
