import JailApprovals
import JailPolicy
import Testing

struct `Who may decide` {
    @Test(arguments: ApprovalRole.allCases)
    func `only approvers and administrators`(_ role: ApprovalRole) throws {
        let desk = Desk()
        let waiter = desk.ask(try subject("https://a.example/x"))
        let decider = ApprovalDecider(.token("t"), role: role, tenant: Desk.owner)
        let may = role == .approver || role == .admin
        let granted = (try? desk.approve(1, by: decider)) != nil
        #expect(granted == may && desk.isGranted(waiter) == may)
        #expect((try? desk.queue.json(for: decider, jail: "j", desk.now)) != nil)
        #expect((try? desk.queue.revoke(1, by: decider, desk.now)) == nil)
        desk.ask(try subject("https://a.example/y"))
        #expect(((try? desk.deny(may ? 2 : 1, by: decider)) != nil) == may)
    }

    @Test func `another tenant's jail is not there`() throws {
        let desk = Desk()
        let waiter = desk.ask(try subject("https://a.example/x"))
        let other = ApprovalDecider(.token("t"), role: .admin, tenant: Desk.owner + 1)
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, by: other) }
        #expect(throws: ApprovalRefusal.self) { try desk.deny(1, by: other) }
        #expect(throws: ApprovalRefusal.self) { _ = try desk.queue.json(for: other, jail: "j", desk.now) }
        #expect(desk[waiter] == nil)
        _ = try desk.approve(1, by: ApprovalDecider(.user(0), role: .admin, tenant: nil))
        #expect(desk.isGranted(waiter))
    }

    @Test func `somebody who shows two tokens is one, unless they may speak for others`() throws {
        for (person, isOne) in [(4711, true), (nil, false)] as [(UInt32?, Bool)] {
            let desk = Desk(fourEyes: [.network])
            desk.ask(try subject("https://a.example/x"))
            var (bob, carl) = (Desk.bob, ApprovalDecider(.token("carl"), role: .approver, tenant: 1000))
            bob.person = person
            carl.person = person
            #expect(try desk.approve(1, by: bob) == nil)
            if isOne {
                #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, by: carl) }
                carl.person = 4712
            }
            #expect(try desk.approve(1, by: carl) != nil)
        }
    }

    @Test func `four eyes are those of two`() throws {
        let desk = Desk(fourEyes: [.network])
        let asked = try subject("https://a.example/x")
        let waiter = desk.ask(asked)
        #expect(try desk.approve(1, ApprovalTerms(uses: 2), by: Desk.ann) == nil)
        #expect(desk[waiter] == nil)
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, by: Desk.ann) }
        var again = Desk.ann
        again.role = .approver
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, by: again) }
        #expect(throws: ApprovalRefusal.self) { _ = try desk.approve(1, ApprovalTerms(), by: Desk.bob) }
        let grant = try #require(try desk.approve(1, by: Desk.bob))
        #expect(grant.by == [Desk.ann, Desk.bob] && grant.terms == ApprovalTerms(uses: 2))
        #expect(desk.isGranted(waiter) && desk.isGranted(desk.ask(asked)))
        #expect(desk[desk.ask(asked)] == nil)
        // What is left over begins anew.
        #expect(try desk.approve(2, by: Desk.bob) == nil)
    }

    @Test func `one of two is not enough when the time is over, and one is enough to deny`() throws {
        let desk = Desk(fourEyes: [.network])
        let late = desk.ask(try subject("https://a.example/x"))
        _ = try desk.approve(1, by: Desk.ann)
        desk.wait(60)
        #expect(desk[late] == .denied(.unanswered(60_000)))
        let denied = desk.ask(try subject("https://a.example/y"))
        _ = try desk.approve(2, by: Desk.ann)
        try desk.deny(2, by: Desk.bob)
        #expect(desk[denied] == .denied(.refused(nil)))
    }

    @Test func `what is revoked holds no longer`() throws {
        let desk = Desk()
        let asked = try subject("https://a.example/x")
        desk.ask(asked)
        let grant = try #require(try desk.approve(1, ApprovalTerms()))
        #expect(desk.isGranted(desk.ask(asked)))
        try desk.queue.revoke(grant.id, by: Desk.bob, desk.now)
        #expect(desk[desk.ask(asked)] == nil)
        #expect(throws: ApprovalRefusal.self) { try desk.queue.revoke(grant.id, by: Desk.bob, desk.now) }
    }
}
