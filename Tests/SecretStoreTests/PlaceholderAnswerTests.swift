import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import SecretStore

/// What OpenClaw asks for inside a jail, and what it is given.
@Suite struct PlaceholderAnswerTests {
    private let placeholders: [String: SecretPlaceholder]

    init() throws {
        placeholders = [
            "anthropic": try #require(SecretPlaceholder(text: "sk-ant-0123456789abcdefghijkl")),
            "git.hub": try #require(SecretPlaceholder(text: "ghp_0123456789abcdefghijklmn")),
        ]
    }

    private func answer(_ request: String) throws(JailError) -> String {
        try PlaceholderAnswer.answer(to: Array(request.utf8), from: placeholders).text()
    }

    private func refusal(_ request: String) -> JailError? {
        failure { () throws(JailError) in _ = try answer(request) }
    }

    @Test func `each id is answered, once`() throws {
        #expect(
            try answer(#"{"protocolVersion":1,"provider":"clawjail","ids":["git.hub","anthropic","nobody","git.hub"]}"#)
                == #"{"protocolVersion":1,"values":{"git.hub":"ghp_0123456789abcdefghijklmn","#
                + #""anthropic":"sk-ant-0123456789abcdefghijkl"},"#
                + #""errors":{"nobody":{"message":"the jail's profile binds no secret of this name"}}}"#)
        #expect(
            try answer(#"{"protocolVersion":1,"provider":"p","ids":[]}"#)
                == #"{"protocolVersion":1,"values":{},"errors":{}}"#)
    }

    /// The side that asks, as it is here for the host's own providers.
    @Test func `whoever speaks the other side of the protocol understands the answer`() throws {
        let provider = ExecProvider(name: "clawjail", command: "/run/clawjail/bin/clawjail-secrets")
        let said = try PlaceholderAnswer.answer(to: provider.request(["git.hub", "anthropic"]), from: placeholders)
        let values = try provider.values(
            of: ["git.hub", "anthropic"], in: try SecretBytes(copying: Array(said.text().utf8)))
        #expect(text(values["git.hub"]?.current) == "ghp_0123456789abcdefghijklmn")
        #expect(text(values["anthropic"]?.current) == "sk-ant-0123456789abcdefghijkl")
        let none = try PlaceholderAnswer.answer(to: provider.request(["nobody"]), from: placeholders)
        let error = failure { () throws(JailError) in
            _ = try provider.values(
                of: ["nobody"],
                in: try attempt(.secrets) { () throws(SystemError) in
                    try SecretBytes(copying: Array(none.text().utf8))
                })
        }
        #expect(
            error?.reason
                == "provider 'clawjail': it has no value for 'nobody': the jail's profile binds no secret of this name")
    }

    @Test(arguments: [
        "", "[]", "1", "{", #"{"protocolVersion":1,"provider":"p"}"#, #"{"protocolVersion":1,"ids":[]}"#,
        #"{"protocolVersion":1,"provider":1,"ids":[]}"#, #"{"protocolVersion":1,"provider":"p","ids":"a"}"#,
        #"{"protocolVersion":1,"provider":"p","ids":[1]}"#, #"{"protocolVersion":1,"provider":"p","ids":["a",null]}"#,
        #"{"protocolVersion":1,"provider":"p","ids":{"anthropic":1}}"#, "\u{0}",
    ])
    func `what is no request is refused, and not repeated`(request: String) {
        #expect(refusal(request)?.status == ExitStatus.usage)
    }

    @Test(arguments: ["2", "0", "-1", "1.5", "\"1\"", "null"])
    func `another version of the protocol is refused`(version: String) {
        let request = "{\"protocolVersion\":\(version),\"provider\":\"p\",\"ids\":[\"anthropic\"]}"
        #expect(refusal(request)?.reason == "the protocol spoken here is version 1")
    }

    @Test func `a request for too many is refused`() {
        func request(_ count: Int) -> String {
            let ids = (0..<count).map { "\"i\($0)\"" }.joined(separator: ",")
            return "{\"protocolVersion\":1,\"provider\":\"p\",\"ids\":[\(ids)]}"
        }
        #expect(throws: Never.self) { try answer(request(ExecProvider.mostIDs)) }
        #expect(refusal(request(ExecProvider.mostIDs + 1)) != nil)
    }
}
