import JailApprovals
import JailCore
import PageControl
import Testing

struct `Calls of the page` {
    private static let token = FakeDesk.ann

    @Test(arguments: [
        PageCall.Order.who, .queue, .jails, .approve(jail: "j", id: 1, nil, reason: nil),
        .approve(jail: "g/s", id: .max >> 1, ApprovalTerms(uses: 2, time: 5000, below: "/v1/"), reason: "why \"so\""),
        .approve(jail: "j", id: 1, ApprovalTerms(), reason: nil), .deny(jail: "j", id: 2, reason: "no"),
        .revoke(jail: "j", grant: 7), .lockdown(jail: nil, reason: "r"), .lockdown(jail: "j", reason: "r"),
    ])
    func `arrive as they were sent`(order: PageCall.Order) {
        let call = PageCall(token: Self.token, order)
        #expect(PageCall(call.bytes) == call)
    }

    @Test(arguments: [
        "", "{}", #"{"token":"TOKEN"}"#, #"{"token":"short","order":"who"}"#, #"{"token":"TOKEN","order":"stop"}"#,
        #"{"token":"TOKEN","order":"approve","jail":"j"}"#, #"{"token":"TOKEN","order":"approve","jail":"j","id":-1}"#,
        #"{"token":"TOKEN","order":"approve","jail":"j","id":1,"terms":{"user":0}}"#,
        #"{"token":"TOKEN","order":"approve","jail":"j","id":1,"terms":[]}"#,
        #"{"token":"TOKEN","order":"who","jail":"j"}"#, #"{"token":"TOKEN","order":"lockdown"}"#,
        #"{"token":"TOKEN","order":"revoke","jail":"j","id":1,"reason":"r"}"#,
    ])
    func `that are none are refused`(text: String) {
        let bytes = Array(
            text.split(separator: "TOKEN", omittingEmptySubsequences: false).joined(separator: Self.token).utf8)
        #expect(PageCall(bytes) == nil)
    }

    @Test func `have a size`() {
        let call = PageCall(
            token: Self.token, .lockdown(jail: nil, reason: String(repeating: "r", count: PageCall.sizeLimit)))
        #expect(PageCall(call.bytes) == nil)
    }

    @Test(arguments: [PageAnswer.content([1, 2]), .refused("no"), .unknown])
    func `are answered`(answer: PageAnswer) { #expect(PageAnswer(answer.bytes) == answer) }

    @Test func `are heard as a whole, or not at all`() throws {
        let ends = try System.makeSocketPair(.stream).release()
        let one = OwnedDescriptor(ends.first)
        let other = OwnedDescriptor(ends.second)
        let (asking, hearing) = (PageChannel(one.borrowed), PageChannel(other.borrowed))
        try asking.send([7, 8, 9])
        #expect(try hearing.receive(limit: 3) == [7, 8, 9])
        try asking.send([])
        #expect(try hearing.receive(limit: 3) == [])
        try System.writeAll(one.borrowed, [0, 0, 0, 4])
        #expect(throws: SystemError.self) { try hearing.receive(limit: 3) }
        try System.writeAll(one.borrowed, [0, 0, 0, 2, 1])
        try System.shutdownWriting(one.borrowed)
        #expect(try hearing.receive(limit: 3) == nil)
    }
}
