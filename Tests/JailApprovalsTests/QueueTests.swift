import JailApprovals
import JailCore
import JailPolicy
import Testing

struct `The queue of approvals` {
    private static let minute: UInt64 = 60_000

    @Test func `nobody answers, and it is denied`() throws {
        let desk = Desk()
        let waiter = desk.ask(try subject("https://a.example/x"))
        desk.wait(59)
        #expect(desk[waiter] == nil)
        desk.wait(1)
        #expect(desk[waiter] == .denied(.unanswered(Self.minute)))
        #expect(desk.queue.entries.isEmpty)
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1) }
    }

    @Test func `once is once`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        let first = desk.ask(asked)
        _ = try desk.approve(1)
        let second = desk.ask(asked)
        #expect(desk.isGranted(first) && desk[second] == nil)
        desk.wait(60)
        #expect(desk[second] == .denied(.unanswered(Self.minute)))
    }

    @Test func `a grant for some uses lets so many of those through who wait, and the others wait on`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        let waiters = (0..<4).map { _ in desk.ask(asked) }
        #expect(desk.queue.entries.map(\.waiters) == [4])
        _ = try desk.approve(1, ApprovalTerms(uses: 3))
        #expect(waiters.map { desk.isGranted($0) } == [true, true, true, false])
        #expect(desk.queue.entries.map(\.waiters) == [1] && desk.queue.grants.isEmpty)
    }

    @Test func `a grant for a time ends with it, on the moment`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        desk.ask(asked)
        _ = try desk.approve(1, ApprovalTerms(time: 300_000))
        desk.wait(299.9)
        #expect(desk.isGranted(desk.ask(asked)))
        desk.wait(0.1)
        #expect(desk[desk.ask(asked)] == nil && desk.queue.grants.isEmpty)
    }

    @Test func `a grant is for exactly what was asked for`() throws {
        let desk = Desk()
        desk.ask(try subject("https://a.example/v1/x"))
        _ = try desk.approve(1, ApprovalTerms())
        #expect(desk.isGranted(desk.ask(try subject("https://a.example/v1/x?q=1"))))
        for (url, method) in [
            ("https://a.example/v1/x", "PUT"), ("https://a.example/v1/xy", "POST"), ("https://a.example/v1/", "POST"),
            ("https://b.a.example/v1/x", "POST"), ("http://a.example/v1/x", "POST"),
            ("https://a.example:8443/v1/x", "POST"), ("https://a.example/v1/X", "POST"),
        ] {
            #expect(!desk.isGranted(desk.ask(try subject(url, method))), "\(method) \(url)")
        }
    }

    @Test func `a grant below a path is for whole segments of it`() throws {
        let desk = Desk()
        desk.ask(try subject("https://a.example/v1/x"))
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, ApprovalTerms(below: "/v2/")) }
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, ApprovalTerms(below: "/v1")) }
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, ApprovalTerms(below: "/a/../v1/")) }
        _ = try desk.approve(1, ApprovalTerms(below: "/v1/"))
        #expect(desk.isGranted(desk.ask(try subject("https://a.example/v1/y/z"))))
        #expect(!desk.isGranted(desk.ask(try subject("https://a.example/v10"))))
        #expect(!desk.isGranted(desk.ask(try subject("https://a.example/v1/y", "DELETE"))))
    }

    @Test func `what was denied is not asked again for a minute`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        let first = desk.ask(asked)
        try desk.deny(1)
        #expect(desk[first] == .denied(.refused(nil)))
        desk.wait(59)
        #expect(desk[desk.ask(asked)] == .denied(.refusedBefore))
        #expect(desk[desk.ask(try subject("https://a.example/y"))] == nil)
        desk.wait(1)
        #expect(desk[desk.ask(asked)] == nil)
        let entry = try #require(desk.queue.entries.last)
        #expect(entry.before.map(\.approved) == [false])
    }

    @Test func `a clock that is set, or a host that slept, denies who waits and ends what has a time`() throws {
        for jump: Int64 in [2, -2, 86_400, -86_400] {
            let desk = Desk()
            desk.ask(try subject("https://a.example/timed"))
            _ = try desk.approve(1, ApprovalTerms(time: 300_000))
            desk.ask(try subject("https://a.example/kept"))
            _ = try desk.approve(2, ApprovalTerms(uses: 5))
            let waiter = desk.ask(try subject("https://a.example/x"))
            desk.setClock(by: jump)
            #expect(desk[waiter] == .denied(.clock))
            #expect(desk.queue.grants.map(\.id) == [2])
        }
    }

    @Test func `the monotonic clock never goes back, and who says so is not believed`() throws {
        let desk = Desk()
        let waiter = desk.ask(try subject("https://a.example/x"))
        desk.wait(-1)
        #expect(desk[waiter] == .denied(.clock))
    }

    @Test func `the end denies who waits, and who comes afterwards`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        desk.ask(try subject("https://a.example/y"))
        _ = try desk.approve(1, ApprovalTerms())
        let waiter = desk.ask(asked)
        desk.queue.end()
        desk.hear()
        #expect(desk[waiter] == .denied(.ended))
        #expect(desk[desk.ask(try subject("https://a.example/y"))] == .denied(.ended))
    }

    @Test func `a queue that is started again knows no question and no grant of the one before`() throws {
        let desk = Desk()
        let waiter = desk.ask(try subject("https://a.example/x"))
        _ = try desk.approve(1, ApprovalTerms())
        #expect(desk.isGranted(waiter))
        let next = Desk()
        let again = next.ask(try subject("https://a.example/x"))
        #expect(next[again] == nil && next.queue.grants.isEmpty)
        next.wait(60)
        #expect(next[again] == .denied(.unanswered(60_000)))
    }

    @Test func `who goes away takes no use with him`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        let gone = desk.ask(asked)
        let stays = desk.ask(asked)
        desk.queue.withdraw(gone, desk.now)
        _ = try desk.approve(1)
        #expect(desk.isGranted(stays) && desk[gone] == nil)
        desk.queue.withdrawAll(.wayOut, desk.now)
        #expect(desk.queue.entries.isEmpty)
    }

    @Test func `a kind that the profile does not name is denied at once`() {
        let desk = Desk()
        #expect(
            desk[
                desk.ask(.command(AskedCommand(program: "/usr/bin/git", words: ["git", "push"], place: "in the jail")))]
                == .denied(.ended))
        #expect(desk.queue.entries.isEmpty)
    }

    @Test func `a flood is one question where it is the same, and limited where it is not`() throws {
        var desk = Desk()
        let same = try subject("https://a.example/x")
        let waiters = (0..<100).map { _ in desk.ask(same) }
        #expect(desk.queue.entries.count == 1)
        #expect(waiters.count { desk[$0] == .denied(.full) } == 100 - ApprovalQueue.mostWaiters)

        desk = Desk()
        let others = try (0..<100).map { desk.ask(try subject("https://a.example/\($0)")) }
        #expect(desk.queue.entries.count == 20)
        #expect(others.count { desk[$0] == .denied(.flood) } == 80)
        desk.wait(30)
        let later = try (100..<130).map { desk.ask(try subject("https://a.example/\($0)")) }
        #expect(later.count { desk[$0] == nil } == 10)
        desk.wait(15)
        _ = try (130..<200).map { desk.ask(try subject("https://a.example/\($0)")) }
        #expect(desk.queue.entries.count <= ApprovalQueue.mostEntries)
    }

    @Test func `what is said of it is one line, and has no query`() throws {
        let desk = Desk()
        desk.ask(try subject("https://a.example/x?token=abc"))
        let entry = try #require(desk.queue.entries.first)
        #expect(entry.subject.text == "POST https://a.example/x")
        let command = AskedCommand(program: "/bin/x", words: ["x", "a\nb", "\u{202E}x"], place: "in the jail")
        #expect(ApprovalSubject.command(command).text == #"["x","a\nb","\u202ex"] in the jail"#)
        #expect(ApprovalTerms.once.text == "once")
        #expect(ApprovalTerms(uses: 3, time: 300_000).text == "3 times within 5m")
        #expect(ApprovalTerms(time: 300_000, below: "/v1/").text == "for 5m, also for paths below /v1/")
        #expect(ApprovalTerms().text == "until the jail ends")
        let event = try #require(desk.news.first).event.text()
        #expect(
            event.hasPrefix(#"{"event":"approval","what":"asked","id":1,"kind":"network","subject":"POST https://"#))
        #expect(!event.contains("abc"))
    }

    @Test func `terms that are none are refused`() throws {
        let desk = Desk()
        desk.ask(try subject("https://a.example/x"))
        for terms in [
            ApprovalTerms(uses: 0), ApprovalTerms(uses: 1001), ApprovalTerms(time: 999),
            ApprovalTerms(time: 86_400_001), ApprovalTerms(below: "x"),
        ] { #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, terms) } }
        #expect(desk.queue.grants.isEmpty && desk.queue.entries.count == 1)
    }

    @Test func `a path that nobody could be shown is not asked about`() throws {
        let path = try #require(CanonicalPath(target: "/" + String(repeating: "a", count: 512)))
        let host = Host.name(try #require(HostName(user: "a.example")))
        #expect(
            AskedRequest(scheme: .https, host: host, port: 443, method: "GET", path: path) == nil)
    }
}
