import Foundation
import Glibc
import Testing

/// From what was seen to a profile on disk. What is suggested is checked elsewhere; here is what is read, and what is written.
@Suite struct SuggestTests {
    /// An ordinary user with a state directory and profiles of its own.
    private struct Place {
        let jail: Jail
        var profiles: String { "\(jail.home)/.config/clawjail/profiles" }
        var records: String { "\(jail.stateDirectory)/learn" }

        init() throws { jail = try Jail(.user) }

        /// As `learn` writes it.
        func record(_ profile: String, _ observations: String..., files: [String] = [], mode: mode_t = 0o600) throws {
            try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
            let list = files.map { "\"\($0)\"" }.joined(separator: ",")
            let lines =
                [
                    "{'version':1,'learn':'box','profile':'\(profile)','profileFiles':[\(list)],'plan':'',".json
                        + "'command':['node','a b.js'],'started':'2026-11-30T04:15:00Z','permits':false}".json
                ] + observations.map { "{\($0),'outcome':'denied','knowledge':'observed','count':2}".json }
                + ["{'ended':'2026-11-30T04:16:00Z','status':1,'leftOut':0}".json]
            let path = "\(records)/box-20261130T041500Z.jsonl"
            unsafe unlink(path)
            try Scratch.write(lines.joined(separator: "\n") + "\n", to: path, mode: mode)
            if Host.isRoot {
                let user = try Host.user.get()
                for path in ["\(jail.home)/clawjail", records, path] { unsafe chown(path, user.uid, user.gid) }
            }
        }

        func suggest(_ words: String...) throws -> Finished {
            try jail.start(words: ["profile", "suggest", "box"] + words).wait(30)
        }

        func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(profiles)/\(name)", encoding: .utf8)
        }

        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: profiles).sorted() }
    }

    private static let program = "'kind':'program','name':'git','program':'/usr/bin/node'"
    private static let memory = "'kind':'limit','name':'memory','value':'512M'"
    private static let post =
        "'kind':'network','host':'hooks.example.org','port':443,'scheme':'https','method':'POST','path':'/a','websocket':false"

    @Test(.needs("git")) func `one permission at a time is written into a profile that extends the old one`() throws {
        let place = try Place()
        try place.record("research", Self.program, Self.post)
        let shown = try place.suggest()
        #expect(shown.status == 0 && shown.text.contains("1. process: { programs: [\"git\"] }"), "\(shown.errors)")
        #expect(shown.text.contains("2. network: { allow: [{ hosts: [\"hooks.example.org\"]"))
        #expect(!FileManager.default.fileExists(atPath: place.profiles))
        try place.suggest("--apply").expectRefusal(64, "--as NAME", "research-box")

        let first = try place.suggest("--apply", "--as", "mine")
        #expect(first.status == 0 && first.text.contains("+ process.programs git"), "\(first.errors)")
        #expect(first.text.contains("next: clawjail learn --profile mine -- node 'a b.js'"), "\(first.text)")
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(place.profiles)/mine.json5")
        #expect(attributes[.posixPermissions] as? Int == 0o644)
        #expect(try place.text("mine.json5").contains("asked for 2 times by /usr/bin/node: the program git"))
        #expect(try place.names() == ["mine.json5"])

        // The next one goes into the same file, and the one before is kept.
        let before = try place.text("mine.json5")
        try place.record("mine", Self.program, Self.post, files: ["\(place.profiles)/mine.json5"])
        let second = try place.suggest("--apply")
        #expect(second.status == 0 && second.text.contains("+ network.allow POST"), "\(second.errors)")
        #expect(try place.names() == ["mine.json5", "mine.json5.1"])
        #expect(try place.text("mine.json5.1") == before)
        #expect(try place.jail.start(words: ["profile", "check", "mine"]).wait().status == 0)
        // What is left is nothing.
        #expect(try place.suggest("--apply").status == 1)
    }

    @Test(.needs("git")) func `all that is not advised against, and one that is, by its number`() throws {
        let place = try Place()
        try place.record("research", Self.memory, Self.post, "'kind':'systemCall','name':'bpf'")
        let all = try place.suggest("--apply", "--all", "--as", "all")
        #expect(all.status == 0, "\(all.errors)")
        let text = try place.text("all.json5")
        #expect(text.contains("memory: \"1G\"") && text.contains("POST") && !text.contains("bpf"))
        // Under the same name, what was applied is not suggested again.
        let picked = try place.suggest("--apply", "--pick", "1", "--as", "all")
        #expect(picked.status == 0 && picked.text.contains("against the advice"), "\(picked.errors)")
        #expect(try place.text("all.json5").contains("\"bpf\""))
        try place.suggest("--apply", "--pick", "7", "--as", "all").expectRefusal(64, "there is no suggestion 7")
    }

    @Test(arguments: ["edited", "link", "fifo", "other", "shipped"])
    func `what it has not written is left alone`(kind: String) throws {
        let place = try Place()
        try place.record("research", Self.memory)
        #expect(try place.suggest("--apply", "--as", "mine").status == 0)
        let file = "\(place.profiles)/mine.json5"
        var text = try place.text("mine.json5")
        switch kind {
        case "edited": text += "// mine\n"
        case "other": text = text.replacingOccurrences(of: "research", with: "offline")
        case "link", "fifo":
            unsafe unlink(file)
            if kind == "fifo" { unsafe mkfifo(file, 0o644) } else { unsafe symlink("/etc/passwd", file) }
        default: break
        }
        if kind == "edited" || kind == "other" { try Scratch.write(text, to: file) }
        let finished = try place.suggest("--apply", "--as", kind == "shipped" ? "stateful" : "mine")
        #expect(finished.status == 78, "\(finished.errors)")
        #expect(finished.errorLines.count == 1 && finished.output.isEmpty, "\(finished.errors)")
        if kind == "edited" || kind == "other" { #expect(try place.text("mine.json5") == text) }
        #expect(try place.names() == ["mine.json5"])
    }

    @Test func `a record that others can write, or that is none, is refused`() throws {
        let place = try Place()
        try place.record("research", Self.memory, mode: 0o666)
        let writable = try place.suggest()
        #expect(writable.status != 0 && writable.errors.contains("only you, or root"), "\(writable.errors)")
        try place.record("research", "'kind':'program','name':'git','more':1")
        #expect(try place.suggest().status != 0)
        try place.suggest("--all").expectRefusal(64, "go with --apply")
        try place.jail.start(words: ["profile", "suggest", "nobody"]).wait().expectRefusal(120, "neither a record")
        try place.jail.start(words: ["profile", "suggest", "../x"]).wait().expectRefusal(120, "neither a record")
    }

    @Test func `what nobody watched is not called unused`() throws {
        let place = try Place()
        try place.record("research", Self.memory)
        let finished = try place.suggest("--unused", "1")
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(finished.text.contains("nothing is known to be unused"), "\(finished.text)")
        #expect(finished.text.contains("not watched: network.allow"), "\(finished.text)")
        #expect(finished.text.contains("not watched: process.programs"), "\(finished.text)")
    }

    @Test(.needs("curl"), arguments: Caller.all) func `a jail's log says what it was denied`(caller: Caller) throws {
        let jail = try Jail(caller, Profiles.session("network: { allow: [{ hosts: ['example.org'] }] }"))
        defer { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/audit/\(jail.name)") }
        let ran = try jail.script(
            "for n in 1 2; do curl -s -m 5 -o /dev/null -X PUT http://example.org/up; done; echo ran")
        #expect(ran.lines == ["ran"], "\(ran.errors)")
        let finished = try jail.start(words: ["profile", "suggest", jail.name, "--json"]).wait()
        let object = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
        let suggestions = try #require(object?["suggestions"] as? [[String: Any]], "\(finished.errors)")
        #expect(suggestions.count == 1)
        #expect(
            suggestions.first?["value"] as? String
                == "{ hosts: [\"example.org\"], schemes: [\"http\"], methods: [\"PUT\"], paths: [\"/up\"] }")
        #expect((suggestions.first?["evidence"] as? [String: Any])?["count"] as? Int == 2)
    }
}
