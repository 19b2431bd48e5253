import JailCore
import JailPolicy
import Testing

struct `The ladder of profiles` {
    private func shipped() throws -> ProfileLadder { try Shipped.withLoader { try ProfileLadder($0) } }

    private func refusal(_ old: String, _ new: String) throws -> String? {
        let ladder = try shipped()
        do throws(JailError) {
            try ladder.checkStep(from: old, to: new)
            return nil
        } catch { return error.description }
    }

    @Test(arguments: [
        ("offline", "research"), ("research", "stateful"), ("stateful", "webhooks"), ("stateful", "messaging"),
        ("stateful", "shell"), ("webhooks", "automation"), ("offline", "chat"),
        ("stateful", "commands"), ("webhooks", "services"), ("shell", "operator"),
    ])
    func `one rung up is a step`(old: String, new: String) throws {
        #expect(try refusal(old, new) == nil)
        #expect(try shipped().below(new) == old)
        #expect(try shipped().above(old).contains(new))
    }

    @Test(arguments: [
        ("research", "shell", "more than one rung"), ("offline", "stateful", "more than one rung"),
        ("stateful", "research", "below"), ("shell", "offline", "below"), ("messaging", "shell", "beside"),
        ("webhooks", "messaging", "beside"), ("commands", "services", "beside"),
        ("stateful", "operator", "more than one rung"), ("services", "automation", "beside"),
        ("operator", "shell", "below"), ("stateful", "stateful", "already"), ("research", "session", "beside"),
        ("research", "statefull", "did you mean 'stateful'"), ("research", "nothing-like-it", "no rung"),
    ])
    func `anything else is refused, and says why`(old: String, new: String, reason: String)
        throws
    {
        let text = try refusal(old, new)
        #expect(text?.contains(reason) == true, "\(text ?? "allowed")")
    }

    @Test func `no step takes away what was allowed`() throws {
        let ladder = try shipped()
        for (name, parent) in ladder.parents {
            guard let parent else { continue }
            let lost = ProfileDiff.lines(from: try Shipped.load(parent), to: try Shipped.load(name)).filter {
                if case .removed(let text) = $0.change { text != "none" } else { false }
            }
            #expect(lost.isEmpty, "\(parent) → \(name)")
        }
    }

    @Test func `parents in a circle come to an end`() {
        let ladder = ProfileLadder(parents: ["a": "b", "b": "a", "c": nil])
        #expect(throws: JailError.self) { try ladder.checkStep(from: "c", to: "a") }
        #expect(throws: JailError.self) { try ladder.checkStep(from: "a", to: "c") }
    }
}

struct `What a profile extends` {
    private func replaced(_ text: String, with new: String = "stateful") throws -> String {
        String(
            decoding: try ProfileExtends.replacing(in: Array(text.utf8), file: "p.json5", with: new), as: UTF8.self)
    }

    @Test(arguments: [
        "{ extends: \"research\" }",
        "{\n  // a rung: \"research\"\n  extends: 'research', limits: { memory: \"1G\" },\n}",
        "\u{FEFF}{ 'extends' : \"research\" }", "{\r\n /* é → ü */ \"extends\":\r\n\t\"research\"\r\n}\r\n",
        "{ description: \"über 𝕏 é\", extends: \"research\" }", "\r{\rextends: \"research\"}",
    ])
    func `is replaced where it stands, and nothing else is`(text: String) throws {
        let bytes = Array(text.utf8)
        #expect(try ProfileExtends.name(in: bytes, file: "p.json5") == "research")
        let changed = try replaced(text)
        // The first word of that name may stand in a comment: what is read again counts.
        #expect(try ProfileExtends.name(in: Array(changed.utf8), file: "p.json5") == "stateful")
        #expect(changed.utf8.count == bytes.count)
        #expect(Array(try replaced(changed, with: "research").utf8) == bytes)
    }

    @Test(arguments: ["{}", "{ extends: \"res\\u0065arch\" }", "{ extends: 4 }", "[]", "{ extends: \"a\"", ""])
    func `what cannot be replaced is refused`(text: String) {
        #expect(throws: JailError.self) { try replaced(text) }
    }
}
