import Foundation
import Glibc
import Testing

/// Requests that no rule allows, and somebody outside who says yes or no, with a server on the host.
@Suite(.needs("curl")) struct ApprovalTests {
    static let script = """
        post() { curl -s -m 30 -o /workspace/answer -w '%{http_code}\\n' --noproxy '*' -d x http://127.0.0.1:$1/$2; }
        echo up; post $1 hook; post $1 hook; post $1 hook; cat /workspace/answer; echo; post $1 hook; post $1 denied

        """

    static func profile(_ port: UInt16) -> String {
        Profiles.session(
            """
            network: {
              allow: [{ hosts: ['127.0.0.1'], ports: [\(port)], schemes: ['http'] }],
              deny: [{ hosts: ['127.0.0.1'], paths: ['/denied'] }],
              allowPrivate: ['127.0.0.1/32'],
            },
            approvals: { ask: ['network'], timeout: '60s' }
            """)
    }

    /// Waits until the jail asks for something with this number.
    static func awaitQuestion(_ jail: Jail, _ id: Int) throws -> String {
        var text = ""
        #expect(
            eventually(20) {
                text = (try? jail.start(words: ["approvals", "list", jail.name, "--json"]).wait())?.text ?? ""
                return text.contains("\"entries\":[{\"id\":\(id),")
            }, "\(text)")
        return text
    }

    @Test(arguments: Caller.all) func `two uses are two, a no is a no, and the log knows who and why`(
        caller: Caller
    ) throws {
        let origin = try Origin("answered")
        let jail = try Jail(caller, Self.profile(origin.port))
        let workspace = try Scratch.directory("workspace", mode: 0o700)
        let running = try jail.startAndAwait(
            "up", ["--workspace", workspace],
            command: ["/bin/sh", "-c", Self.script, "sh", "\(origin.port)"])
        func approvals(_ words: String...) throws -> Finished {
            try jail.start(words: ["approvals"] + words).wait()
        }

        let asked = try Self.awaitQuestion(jail, 1)
        #expect(asked.contains("\"subject\":\"POST http://127.0.0.1:\(origin.port)/hook\""), "\(asked)")
        try approvals("approve", jail.name, "9").expectRefusal(123, "nothing waits under 9")
        let approved = try approvals("approve", jail.name, "1", "--uses", "2", "--reason", "for the test")
        #expect(approved.text.contains("approved 2 times, as grant 1"), "\(approved.errors)")
        _ = try Self.awaitQuestion(jail, 2)
        let denied = try approvals("deny", jail.name, "2", "--reason", "that was enough")
        #expect(denied.text.contains("denied"), "\(denied.errors)")

        let finished = try running.wait(20)
        #expect(finished.lines.first == "up")
        #expect(finished.lines.filter { $0.count == 3 } == ["200", "200", "403", "403", "403"], "\(finished.text)")
        #expect(finished.text.contains("an approval was asked for, and not given: it was denied (that was enough)"))
        #expect(finished.errors.contains("asks for approval: POST http://127.0.0.1:\(origin.port)/hook"))
        let log = try jail.start(words: ["audit", "show", jail.name, "--json"]).wait().text
        for part in [
            #""what":"asked""#, #""what":"approved""#, #""reason":"for the test""#,
            #""what":"used","grant":1,"left":0"#,
            #""what":"denied""#, #""reason":"that was enough""#,
        ] { #expect(log.contains(part), "\(part) \(log)") }
        try jail.expectNothingLeft()
    }
}
