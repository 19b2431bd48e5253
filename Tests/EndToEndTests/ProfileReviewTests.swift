import Foundation
import Testing

/// What `clawjail profile` says of a profile without starting anything.
@Suite struct ProfileReviewTests {
    private func clawjail(_ profile: String, _ words: String...) throws -> (Finished, path: String) {
        let jail = try Jail(Caller.all[0], profile.json)
        return (try jail.start(words: words.map { $0 == "PROFILE" ? jail.profile : $0 }).wait(), jail.profile)
    }

    private static let dangerous = """
        { extends: 'research',
          filesystem: { read: ['/usr/share/doc'] } }
        """

    @Test func `check names what is dangerous, where it stands and what to do, and is strict if asked`() throws {
        let (plain, path) = try clawjail(Self.dangerous, "profile", "check", "PROFILE")
        #expect(plain.status == 0)
        #expect(plain.text.contains("danger: a wide network, and '/usr/share/doc' of the host"))
        #expect(plain.text.contains("[\(path):2]; name the hosts in full"))
        #expect(try clawjail(Self.dangerous, "profile", "check", "--strict", "PROFILE").0.status == 1)
        #expect(try clawjail("{ extends: 'offline' }", "profile", "check", "--strict", "PROFILE").0.status == 0)
        #expect(try clawjail("{ extends: 'nothing' }", "profile", "check", "--strict", "PROFILE").0.status == 78)
    }

    @Test func `diff is in words, and by keys if asked`() throws {
        let (words, _) = try clawjail(Self.dangerous, "profile", "diff", "research", "PROFILE")
        #expect(words.text == "+ may also read /usr/share/doc\n")
        let (keys, _) = try clawjail(Self.dangerous, "profile", "diff", "--keys", "research", "PROFILE")
        #expect(keys.text == "+ filesystem.read /usr/share/doc\n")
    }

    @Test func `score is itemised, and list starts with those that expose least`() throws {
        let (score, _) = try clawjail(Self.dangerous, "profile", "score", "PROFILE")
        #expect(score.status == 0)
        #expect(score.text.contains("network.reach") && score.text.contains("together"))
        #expect(score.text.split(separator: "\n").last?.contains(" of 10.0, ") == true)
        let names = try clawjail("{}", "profile", "list").0.text.split(separator: "\n").compactMap {
            $0.split(separator: " ").first
        }
        let ladder = names.filter { ["offline", "research", "stateful", "shell"].contains($0) }
        #expect(ladder == ["offline", "research", "stateful", "shell"])
    }

    @Test func `show says where values come from, and its JSON is still a profile`() throws {
        let (show, path) = try clawjail(Self.dangerous, "profile", "show", "PROFILE")
        #expect(show.text.contains("/usr/share/doc  [\(path):2]"))
        #expect(show.text.contains("512M  [offline.json5:"))
        let (json, _) = try clawjail(Self.dangerous, "profile", "show", "--json", "PROFILE")
        let (again, _) = try clawjail(json.text, "profile", "diff", "PROFILE", "PROFILE")
        #expect(again.status == 0 && again.text == "\n")
        let (origins, _) = try clawjail(Self.dangerous, "profile", "show", "--json", "--origins", "PROFILE")
        #expect(origins.text.contains("\"file\": \"offline.json5\""))
        #expect(try clawjail("{}", "profile", "show", "--origins", "PROFILE").0.status == 64)
    }
}
