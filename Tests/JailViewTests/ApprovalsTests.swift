import JailCore
import Testing

@testable import JailView

struct `The screen of approvals` {
    private static func view(_ ids: [Int]) throws -> ApprovalsView {
        let entries = ids.map { id in
            """
            {"id":\(id),"kind":"network","subject":"POST https://a.example/\(id)","why":"no rule","meaning":"it goes out",\
            "asked":1,"left":42000,"waiting":2,"count":3,"fourEyes":false,"endorsedBy":null,"endorsed":null,\
            "before":[{"approved":true,"by":["uid 0"],"time":1}]}
            """
        }
        let text = #"{"entries":[\#(entries.joined(separator: ","))],"grants":[]}"#
        return try #require(ApprovalsView(jail: "chat", answer: Array(text.utf8)))
    }

    private static func text(_ state: ApprovalsState, rows: Int = 24, columns: Int = 80) -> [String] {
        ApprovalsFrame(state, rows: rows, columns: columns).lines.map(\.text)
    }

    @Test func `says what waits, why, and what a yes would mean`() throws {
        var state = ApprovalsState()
        state.take([try Self.view([1])])
        let all = Self.text(state).joined(separator: "\n")
        for part in [
            "1 waits", "42s", "chat 1", "POST https://a.example/1", "x2", "no rule", "it goes out", "asked    3 times",
            "approved by uid 0", "a once",
        ] { #expect(all.contains(part), "\(part)") }
        for (rows, columns) in [(0, 0), (1, 1), (5, 20), (12, 40), (50, 200)] {
            let lines = ApprovalsFrame(state, rows: rows, columns: columns).lines
            #expect(lines.count == rows && lines.allSatisfy { $0.width == columns })
        }
    }

    @Test func `a key is about what was selected, and never about what stands there now`() throws {
        var state = ApprovalsState()
        state.take([try Self.view([1, 2])])
        #expect(state.selected == .init(jail: "chat", id: 1))
        _ = state.press(.down)
        #expect(state.press(.character("a")) == .decide(.init(jail: "chat", id: 2), .once))
        state.take([try Self.view([1, 3])])
        #expect(state.selected == nil)
        #expect(state.press(.character("a")) == nil)
        #expect(state.message == "nothing is selected")
        _ = state.press(.up)
        #expect(state.press(.character("d")) == .decide(.init(jail: "chat", id: 3), .deny))
        state.take([])
        state.take([try Self.view([4])])
        #expect(state.selected?.id == 4 || state.selected == nil)
    }

    @Test func `until the end is said twice, about the same`() throws {
        var state = ApprovalsState()
        state.take([try Self.view([1, 2])])
        #expect(state.press(.character("e")) == nil)
        #expect(Self.text(state).last?.contains("once more") == true)
        #expect(state.press(.character("e")) == .decide(.init(jail: "chat", id: 1), .untilEnd))
        #expect(state.press(.character("e")) == nil)
        _ = state.press(.down)
        #expect(state.press(.character("e")) == nil, "that was another one")
    }

    @Test func `what a jail has put into it moves no cursor`() throws {
        let text = #"{"entries":[{"id":1,"subject":"POST \u001b[2J\u202e"}],"grants":[{"id":1,"subject":"\n"}]}"#
        let view = try #require(ApprovalsView(jail: "j", answer: Array(text.utf8)))
        #expect(view.waiting[0].subject == #"POST \u{1b}[2J\u{202e}"# && view.grants[0].subject == #"\n"#)
        for text in ["", "{}", #"{"entries":[{}],"grants":[]}"#, #"{"entries":[],"grants":[1]}"#] {
            #expect(ApprovalsView(jail: "j", answer: Array(text.utf8)) == nil)
        }
    }
}
