import Testing

@testable import JailPolicy

@Suite("Changes of a profile")
struct ProfileChangeTests {
    @Test(
        "are written as they stand in one",
        arguments: [
            (
                ProfileChange(key: "filesystem.read", value: "\"/srv\"", isElement: true),
                "filesystem: { read: [\"/srv\"] }"
            ),
            (ProfileChange(key: "limits.memory", value: "\"1G\"", isElement: false), "limits: { memory: \"1G\" }"),
            (ProfileChange(key: "optional", value: "\"time\"", isElement: true), "optional: [\"time\"]"),
            (ProfileChange(key: "a.b.c", value: "1", isElement: false), "a: { b: { c: 1 } }"),
        ])
    func text(_ change: ProfileChange, _ text: String) {
        #expect(change.text == text)
    }
}
