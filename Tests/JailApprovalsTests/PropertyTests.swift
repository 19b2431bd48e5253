import JailApprovals
import JailPolicy
import TestSupport
import Testing

struct `Whatever happens in whatever order` {
    /// What is random, and what is expected of it.
    private struct Run {
        let desk: Desk
        var generator: Seeded
        var asked: [(waiter: UInt64, subject: ApprovalSubject)] = []
        var gone: Set<UInt64> = []
        var grants: [UInt64: ApprovalGrant] = [:]
        var approvals = 0
        let subjects: [ApprovalSubject]

        init(seed: UInt64, fourEyes: Bool) throws {
            desk = Desk(fourEyes: fourEyes ? [.network] : [])
            generator = Seeded(seed)
            subjects = try ["/a", "/a/b", "/a/c", "/d"].flatMap { path in
                try ["GET", "POST"].map { try subject("https://h.example\(path)", $0) }
            }
        }

        mutating func step() {
            switch generator.next() % 10 {
            case 0...4:
                guard let subject = subjects.randomElement(using: &generator) else { return }
                asked.append((desk.ask(subject), subject))
            case 5...6: approve()
            case 7: if let entry = desk.queue.entries.randomElement(using: &generator) { try? desk.deny(entry.id) }
            case 8:
                guard let waiter = asked.map({ $0.waiter }).randomElement(using: &generator), desk[waiter] == nil else {
                    return
                }
                gone.insert(waiter)
                desk.queue.withdraw(waiter, desk.now)
                desk.hear()
            default: desk.wait(Double(generator.next() % 30))
            }
        }

        private mutating func approve() {
            guard let entry = desk.queue.entries.randomElement(using: &generator) else { return }
            let terms = [
                ApprovalTerms.once, ApprovalTerms(uses: 3), ApprovalTerms(time: 20_000),
                ApprovalTerms(uses: 2, time: 10_000, below: "/a/"), ApprovalTerms(below: "/a/"), nil,
            ].randomElement(using: &generator)
            let by = Bool.random(using: &generator) ? Desk.ann : Desk.bob
            if let grant = try? desk.approve(entry.id, terms ?? nil, by: by) { grants[grant.id] = grant }
        }
    }

    @Test(arguments: [false, true])
    func `a grant for N is used N times at most, by what it is for, and everybody gets one answer`(
        _ fourEyes: Bool
    ) throws {
        var granted = 0
        for seed: UInt64 in 0..<150 {
            var run = try Run(seed: seed, fourEyes: fourEyes)
            for _ in 0..<120 { run.step() }
            run.desk.queue.end()
            run.desk.hear()
            var uses: [UInt64: UInt64] = [:]
            for (waiter, subject) in run.asked {
                guard let answer = run.desk[waiter] else {
                    #expect(run.gone.contains(waiter), "seed \(seed): no answer")
                    continue
                }
                guard case .granted(let id) = answer else { continue }
                granted += 1
                let grant = try #require(run.grants[id], "seed \(seed): nobody has said yes")
                uses[id, default: 0] += 1
                #expect(grant.by.count == (fourEyes ? 2 : 1) && Set(grant.by).count == grant.by.count)
                #expect(
                    subject == grant.subject
                        || grant.terms.below != nil && subject.text.hasPrefix("\(grant.subject.text.prefix(6))"))
            }
            for (id, count) in uses {
                if let most = run.grants[id]?.terms.uses { #expect(count <= most, "seed \(seed)") }
            }
        }
        #expect(granted > 500, "the property must have been tried")
    }

    @Test func `without a decision nothing is granted`() throws {
        for seed: UInt64 in 0..<50 {
            var run = try Run(seed: seed, fourEyes: false)
            for _ in 0..<100 where run.generator.next() % 2 == 0 {
                guard let subject = run.subjects.randomElement(using: &run.generator) else { continue }
                run.asked.append((run.desk.ask(subject), subject))
                run.desk.wait(Double(run.generator.next() % 20))
            }
            run.desk.wait(60)
            for (waiter, _) in run.asked {
                guard case .denied? = run.desk[waiter] else {
                    Issue.record("seed \(seed): not denied")
                    continue
                }
            }
        }
    }
}
