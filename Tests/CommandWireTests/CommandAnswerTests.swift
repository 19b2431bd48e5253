import JailCore
import Testing

@testable import CommandWire

struct `Answers about commands` {
    @Test(arguments: [
        CommandAnswer.accepted, .ended(status: 0, note: nil), .ended(status: 137, note: "it took too long"),
        .refused(status: 126, reason: "no rule", remedy: nil), .refused(status: 126, reason: "no rule", remedy: "é"),
    ])
    func `what is written is read again`(_ answer: CommandAnswer) {
        #expect(CommandAnswer(bytes: answer.bytes) == answer)
        for count in answer.bytes.indices { #expect(CommandAnswer(bytes: Array(answer.bytes.prefix(count))) == nil) }
        #expect(CommandAnswer(bytes: answer.bytes + [0]) == nil)
    }

    @Test func `long texts are cut between characters`() throws {
        let long = String(repeating: "é", count: 1 << 16)
        let answer = CommandAnswer.refused(status: 126, reason: "a" + long, remedy: long)
        #expect(answer.bytes.count <= CommandAnswer.sizeLimit)
        guard case .refused(126, let reason, let remedy)? = CommandAnswer(bytes: answer.bytes) else {
            Issue.record("it is not read again")
            return
        }
        #expect(reason.utf8.count == CommandAnswer.longestText - 1)
        #expect(remedy?.utf8.count == CommandAnswer.longestText)
    }

    @Test(arguments: [[0], [4], [3, 126], [2, 0, 1, 0, 0, 0, 0xFF]] as [[UInt8]])
    func `what nobody says is not read`(_ bytes: [UInt8]) { #expect(CommandAnswer(bytes: bytes) == nil) }
}

struct `What follows a request` {
    @Test(
        arguments: CommandFollowUp.signals.map { CommandFollowUp.signal($0) }
            + [.size(TerminalSize(rows: 50, columns: 132)), .size(TerminalSize(rows: .max, columns: .max))])
    func `it is read as it was written`(_ word: CommandFollowUp) {
        #expect(word.bytes.count == CommandFollowUp.size)
        #expect(CommandFollowUp(bytes: word.bytes) == word)
    }

    @Test(
        arguments: [
            [], [1], [1, 9, 0, 0, 0], [1, 0, 0, 0, 0], [1, 19, 0, 0, 0], [1, 15, 1, 0, 0], [1, 15, 0, 0, 0, 0],
            [3, 0, 0, 0, 0],
        ] as [[UInt8]])
    func `no other signal and no other word is taken`(_ bytes: [UInt8]) {
        #expect(CommandFollowUp(bytes: bytes) == nil)
    }

    @Test func `a second request is none of them`() throws {
        let bytes = try #require(CommandRequest(words: [Array("npm".utf8)]).bytes)
        #expect(CommandFollowUp(bytes: bytes) == nil)
        #expect(CommandFollowUp(bytes: Array(bytes.prefix(CommandFollowUp.size))) == nil)
    }
}

struct `Names of stubs` {
    private static func read(_ executable: String, _ word: String) throws(StubName.Refusal) -> String {
        try StubName.read(executable: executable, word: Array(word.utf8))
    }

    @Test(arguments: ["npm", "/usr/local/bin/npm", "./npm", "../npm", "//npm"])
    func `it is called by its own, from anywhere`(_ word: String) throws {
        #expect(try Self.read("/usr/local/bin/npm", word) == "npm")
    }

    @Test(arguments: ["", "git", "-npm", "NPM", "npm/", "npm ", "npm\n", "/usr/local/bin/npm/../git", "npm\u{301}"])
    func `any other name is refused`(_ word: String) {
        #expect(throws: StubName.Refusal.self) { try Self.read("/usr/local/bin/npm", word) }
    }

    @Test(arguments: ["", "npm", "/", "/usr/local/bin/"])
    func `without a name of its own it is nothing`(_ executable: String) {
        #expect(throws: StubName.Refusal.self) { try Self.read(executable, executable) }
    }

    @Test func `the refusal says what it was called`() {
        #expect(throws: StubName.Refusal(reason: "called as 'rm', and this is 'npm'")) {
            try Self.read("/usr/local/bin/npm", "/bin/rm")
        }
    }
}
