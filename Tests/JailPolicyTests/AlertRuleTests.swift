import JailCore
import JailPolicy
import Testing

struct `Rules of alerts` {
    @Test func `every default rule has all that it is written with, goes to the log alone, and can be read again`()
        throws
    {
        #expect(Set(AlertRules.defaultRules.map(\.name)).count == AlertRules.defaultRules.count)
        for rule in AlertRules.defaultRules {
            #expect(rule.actions.isEmpty)
            switch rule.watch.kind {
            case .pattern: #expect(!rule.matching.isEmpty)
            case .threshold: #expect(rule.above != nil)
            case .anomaly, .occurrence: break
            }
            let text = "{ alerts: { rules: [\(rule.json.text())] } }"
            #expect(try profile(text).alerts?.rules == [rule])
        }
        let counts = AlertRules.defaultRules.map(\.matching.count)
        #expect(counts == [0, 0, 0, 0, 1, 4, 3, 3, 2, 0, 0, 0])
    }

    @Test(arguments: [
        ("sudo id", true), ("/usr/bin/sudo -n id", true), ("sh -c sudo id", true), ("sudoku", false),
        ("echo pseudo x", false),
    ])
    func `sudo is found as a word`(line: String, isFound: Bool) throws {
        let rule = try #require(AlertRules.defaultRules.first { $0.name == "sudo" })
        #expect(
            rule.matching.contains { if case .text(let pattern) = $0 { pattern.matches(line) } else { false } }
                == isFound)
    }

    @Test(arguments: [
        "https://hooks.example.org", "https://hooks.example.org:8443/a?b=c%20d", "http://127.0.0.1:99/x",
        "http://[::1]/",
        "http://localhost/x",
    ])
    func `a webhook goes out encrypted, or nowhere`(text: String) throws {
        #expect(try WebhookAddress.parse(text).text == text)
        #expect(!(try WebhookAddress.parse(text).shown).contains("?"))
    }

    @Test(arguments: [
        "http://example.org/", "http://127.0.0.2/", "http://localhost.example.org/", "https://", "ftp://example.org/",
        "https://a@b.example/", "https://a.example/\u{20}b", "https://a.example/\"", "https://a.example/#x",
        "file:///etc",
        "https://a.example/\n", "HTTPS://a.example/", "https://a.example:0/", "https://1.2/", "https://[::1",
    ])
    func `what is no such address is refused`(text: String) {
        #expect(throws: ValueError.self) { _ = try WebhookAddress.parse(text) }
    }

    @Test func `notes say which rules see nothing`() throws {
        let text =
            "{ alerts: { rules: [{ name: 'm', watch: 'memory', above: '1M' }, { name: 'n', watch: 'newHost' }] } }"
        let profile = try profile(text)
        let notes = profile.alerts?.notes(for: profile) ?? []
        #expect(notes.count == 2 && notes[0].contains("'m' sees nothing") && notes[1].contains("'n' sees nothing"))
    }
}
