import Glibc
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import SecretStore

/// Programs that give secrets out may be slow, wrong, talkative and hostile.
@Suite struct ExecTests {
    private let directory: TemporaryDirectory

    init() throws {
        // Below the root's own, where nobody else may write.
        directory = try TemporaryDirectory()
    }

    private func provider(_ script: String, _ change: (inout ExecProvider) -> Void = { _ in }) throws -> ExecProvider {
        let path = try directory.file("provider", "#!/bin/sh\n\(script)\n")
        try System.changeMode(path, 0o700)
        var provider = ExecProvider(name: "vault", command: path)
        change(&provider)
        return provider
    }

    private func resolve(
        _ provider: ExecProvider, _ ids: [String] = ["a"]
    ) throws(JailError) -> [String: ResolvedSecret] {
        try ExecSource(provider).resolve(ids, now: 0)
    }

    private func refusal(_ provider: ExecProvider, _ ids: [String] = ["a"]) -> String {
        let error = failure { () throws(JailError) in _ = try resolve(provider, ids) }
        #expect(error?.stage == .secrets)
        return error?.description ?? ""
    }

    private static let answer = #"{"protocolVersion":1,"values":{"a":"s3cr3t","x/y":"other"},"errors":{}}"#

    @Test func `values come out of the answer`() throws {
        let values = try resolve(try provider("cat >/dev/null; echo '\(Self.answer)'"), ["a", "x/y", "a"])
        #expect(text(values["a"]?.current) == "s3cr3t")
        #expect(text(values["x/y"]?.current) == "other")
        #expect(values.count == 2)
    }

    @Test func `the request is as OpenClaw writes it`() throws {
        let seen = "\(directory.path)/seen"
        _ = try resolve(try provider("cat > '\(seen)'; echo '\(Self.answer)'"), ["a", "x/y"])
        #expect(try directory.read("seen") == #"{"protocolVersion":1,"provider":"vault","ids":["a","x/y"]}"#)
    }

    @Test func `it has the arguments and variables that it is given, and no others`() throws {
        let seen = "\(directory.path)/seen"
        unsafe setenv("CLAWJAIL_TEST_PASSED", "passed", 1)
        unsafe setenv("CLAWJAIL_TEST_KEPT", "kept", 1)
        let provider = try provider(
            "{ echo \"$# $1 $2\"; pwd; /usr/bin/env; ls /proc/$$/fd; } > '\(seen)'; echo '\(Self.answer)'"
        ) {
            $0.arguments = ["one two", "$HOME"]
            $0.passEnvironment = ["CLAWJAIL_TEST_PASSED", "CLAWJAIL_TEST_MISSING"]
            $0.environment = ["PATH": "/usr/bin:/bin", "MODE": "test"]
        }
        _ = try resolve(provider)
        let text = try directory.read("seen")
        #expect(text.hasPrefix("2 one two $HOME\n/\n"))
        #expect(text.contains("CLAWJAIL_TEST_PASSED=passed\n"))
        #expect(text.contains("MODE=test\n"))
        #expect(!text.contains("CLAWJAIL_TEST_KEPT"))
        #expect(!text.contains("HOME="))
    }

    @Test(arguments: [
        "exit 0", "echo", "echo '[]'", "echo s3cr3t", "echo '{\"values\":{\"a\":\"s3cr3t\"}}'",
        "echo '{\"protocolVersion\":2,\"values\":{\"a\":\"s3cr3t\"}}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"b\":\"s3cr3t\"}}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":[\"s3cr3t\"]}}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"s3cr3t\",\"a\":\"s3cr3t\"}}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"\"}}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"s3cr3t\\u0000\"}}'",
        "echo '{\"protocolVersion\":1,\"values\":\"s3cr3t\"}'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"s3cr3t\"}} s3cr3t'",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"s3cr3t\"}}'; exit 1",
        "echo '{\"protocolVersion\":1,\"values\":{\"a\":\"s3cr3t\"}}'; kill -9 $$",
        "printf '\\377\\376s3cr3t'", "echo s3cr3t >&2; exit 3",
    ]) func `what is not the protocol is refused, and not repeated`(script: String) throws {
        let text = refusal(try provider(script))
        #expect(text.hasPrefix("secrets: provider 'vault': "))
        #expect(!text.contains("s3cr3t"), "\(text)")
    }

    @Test func `one id without a value refuses all of them, with what the provider says`() throws {
        let errors = #"{"b":{"message":"no such\u001b[31m item"}}"#
        let answer = #"{"protocolVersion":1,"values":{"a":"s3cr3t"},"errors":\#(errors)}"#
        let text = refusal(try provider("cat <<'END'\n\(answer)\nEND"), ["a", "b"])
        #expect(text.contains("no value for 'b': no such\\u{1b}[31m item"))
        #expect(!text.contains("s3cr3t"))
    }

    @Test func `where not only JSON is taken, the answer to one id may be the value`() throws {
        let plain = try provider("echo s3cr3t") { $0.isJSONOnly = false }
        #expect(text(try resolve(plain)["a"]?.current) == "s3cr3t")
        #expect(refusal(plain, ["a", "b"]).contains("protocol"))
        let lines = try provider("echo one; echo two") { $0.isJSONOnly = false }
        #expect(refusal(lines).contains("more than one line"))
    }

    @Test func `whoever is late, silent or talkative is killed with what it started`() throws {
        let mark = "\(directory.path)/mark"
        let slow = try provider("(sleep 1; touch '\(mark)') & sleep 20") { $0.timeout = 200 }
        #expect(refusal(slow).contains("within 200 ms"))
        let silent = try provider("sleep 20") {
            $0.timeout = 10_000
            $0.noOutputTimeout = 200
        }
        #expect(refusal(silent).contains("said nothing for 200 ms"))
        let endless = try provider("exec /usr/bin/yes s3cr3t") { $0.mostOutput = 1000 }
        #expect(refusal(endless).contains("longer than 1000 bytes"))
        usleep(1_200_000)
        #expect((try? System.status(mark)) == nil)
    }

    @Test func `a child that holds the output is not waited for`() throws {
        let start = System.monotonicNanoseconds()
        let values = try resolve(try provider("sleep 4 & echo '\(Self.answer)'"))
        #expect(text(values["a"]?.current) == "s3cr3t")
        #expect(System.monotonicNanoseconds() - start < 3_500_000_000)
    }

    @Test func `a program that another could have written is not started`() throws {
        let mark = "\(directory.path)/mark"
        var provider = try provider("touch '\(mark)'; echo '\(Self.answer)'")
        for mode: UInt32 in [0o720, 0o702, 0o600] {
            try System.changeMode(provider.command, mode)
            #expect(!refusal(provider).isEmpty)
        }
        try System.changeMode(provider.command, 0o700)
        try System.changeMode(directory.path, 0o777)
        #expect(refusal(provider).contains("others may write"))
        try System.changeMode(directory.path, 0o700)
        let good = provider.command
        try System.makeSymlink("\(directory.path)/link", to: good)
        for command in ["\(directory.path)/link", "provider", "\(directory.path)/none", directory.path, ""] {
            provider.command = command
            #expect(!refusal(provider).isEmpty, "\(command)")
        }
        #expect((try? System.status(mark)) == nil)
    }

    @Test(.needsRoot) func `a program of another user's is not started`() throws {
        let provider = try provider("echo '\(Self.answer)'")
        try System.changeOwner(provider.command, uid: 1, gid: 1)
        #expect(refusal(provider).contains("belongs to uid 1"))
    }

    @Test(arguments: ["", "/a", "a b", "a/../b", "a/.", "a\n", "ä", String(repeating: "a", count: 257)])
    func `ids are those that OpenClaw takes`(id: String) throws {
        #expect(refusal(try provider("echo '\(Self.answer)'"), [id]).contains("no id"))
    }
}
