import JailApprovals
import JailCore
import JailPolicy
import Testing

struct `Approvals of commands` {
    private static func command(_ words: String..., place: String = "in the jail") -> ApprovalSubject {
        .command(AskedCommand(program: "/usr/bin/git", words: words, place: place))
    }

    @Test func `a yes is for exactly these words, in this place`() throws {
        let desk = Desk(ask: [.command])
        _ = desk.ask(Self.command("git", "push", "caf\u{E9}"))
        _ = try desk.approve(1, ApprovalTerms(uses: 5))
        for other in [
            Self.command("git", "push"), Self.command("git", "push", "caf\u{E9}", ""),
            // To a program that is another word, whatever it looks like.
            Self.command("git", "push", "cafe\u{301}"),
            Self.command("git", "push", "caf\u{E9}", place: "on the host, as 'deploy'"),
        ] {
            let waiter = desk.ask(other)
            #expect(desk[waiter] == nil)
        }
        #expect(desk.isGranted(desk.ask(Self.command("git", "push", "caf\u{E9}"))))
    }

    @Test func `a grant of commands has no paths below`() throws {
        let desk = Desk(ask: [.command])
        _ = desk.ask(Self.command("git", "push"))
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, ApprovalTerms(uses: 1, below: "/")) }
    }

    @Test func `the entry says what runs, where, and what a yes would mean`() throws {
        let desk = Desk(ask: [.command])
        _ = desk.ask(Self.command("git", "push", "--tags", place: "on the host, as 'deploy'"))
        let text = try desk.queue.json(for: Desk.ann, jail: "j", desk.now).text()
        for part in [
            #""kind":"command""#, #""program":"/usr/bin/git""#, #""arguments":["push","--tags"]"#,
            #""place":"on the host, as 'deploy'""#, #""why":"no rule""#, "is executed with exactly these arguments",
        ] { #expect(text.contains(part), "\(part)") }
    }

    @Test func `a command that nobody decides about is denied, and so is one whose clock was set`() throws {
        let desk = Desk(ask: [.command])
        let first = desk.ask(Self.command("git", "push"))
        desk.wait(60)
        #expect(desk[first] == .denied(.unanswered(60_000)))
        let second = desk.ask(Self.command("git", "push"))
        desk.setClock(by: 3600)
        #expect(desk[second] == .denied(.clock))
    }

    @Test func `numbers of those who ask never meet`() {
        var seen: Set<UInt64> = []
        for asker in ApprovalAsker.allCases {
            for number in [0, 1, ApprovalAsker.most] {
                let waiter = asker.waiter(number)
                #expect(waiter.map { seen.insert($0).inserted } == true)
                let of = waiter.flatMap(ApprovalAsker.of)
                #expect(of?.asker == asker && of?.number == number)
            }
            #expect(asker.waiter(ApprovalAsker.most + 1) == nil)
        }
        #expect(ApprovalAsker.of(.max) == nil)
    }

    @Test func `the end of one who asks is not that of another`() throws {
        let desk = Desk(ask: [.command, .network])
        let waiter = try #require(ApprovalAsker.commands.waiter(1))
        desk.queue.ask(Self.command("git", "push"), why: "no rule", waiter: waiter, desk.now)
        _ = desk.ask(try subject("https://a.example/"))
        desk.queue.withdrawAll(.wayOut, desk.now)
        #expect(desk.queue.entries.map(\.subject.kind) == [.command])
        desk.queue.withdrawAll(.commands, desk.now)
        #expect(desk.queue.entries.isEmpty)
    }
}
