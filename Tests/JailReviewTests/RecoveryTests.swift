import Glibc
import JailCore
import TestSupport
import Testing

@testable import JailReview

/// A process that kills itself is forked, which only one with a single thread may do.
@Suite struct RecoveryTests {
    /// Runs a child that is killed after its step number `last`.
    ///
    /// - Returns: whether it was; false: it has come to its end before.
    static func dies(after last: Int, _ body: (_ onStep: @escaping () -> Void) throws -> Void) throws -> Bool {
        let pid = try System.fork()
        if pid == 0 {
            var count = 0
            do {
                try body {
                    count += 1
                    if count == last { _ = kill(getpid(), SIGKILL) }
                }
                System.exitNow(0)
            } catch { System.exitNow(1) }
        }
        let ended = try System.wait(forChild: pid)
        if ended == .signalled(SIGKILL) { return true }
        #expect(ended == .exited(0))
        return false
    }

    @Test func `killed after any step, all of it is applied in the end, or nothing`() async {
        await #expect(processExitsWith: .success) {
            let ended = try Ground(ApplyTests.before, ApplyTests.after, opaque: ["d"])
            try ended.apply()
            let after = try ended.state()
            var (undone, applied) = (0, 0)
            for last in 1...200 {
                let ground = try Ground(ApplyTests.before, ApplyTests.after, opaque: ["d"])
                let before = try ground.state()
                #expect(before != after)
                guard try Self.dies(after: last, { onStep in try ground.apply(onStep: onStep) }) else {
                    #expect(try ground.state() == after)
                    break
                }
                // Whoever brings it to its end may be killed as well, again and again.
                for again in 1...3 {
                    _ = try Self.dies(after: again) { onStep in
                        _ = try ReviewWork(ground.store, onStep: onStep).recover()
                    }
                }
                try ReviewWork(ground.store).recover()
                let state = try ground.state()
                #expect(state == before || state == after, "after step \(last): \(state)")
                #expect(try ground.store.journal() == nil)
                if state == after {
                    applied += 1
                    #expect(try ground.listed() == [], "after step \(last)")
                } else {
                    undone += 1
                    #expect(applied == 0, "after step \(last)")
                    try ground.apply()
                    #expect(try ground.state() == after)
                }
            }
            print("killed after each of \(undone + applied) steps: \(undone) times undone, \(applied) times applied")
            #expect(undone >= 10 && applied >= 10)
        }
    }

    @Test func `killed after any step of undoing, nothing is applied in the end`() async {
        await #expect(processExitsWith: .success) {
            for last in 1...200 {
                let ground = try Ground(ApplyTests.before, ApplyTests.after, opaque: ["d"])
                // Ready, and then something is in the way of the last step but one.
                var isReady = false
                _ = try Self.dies(after: 1) { onStep in
                    try ground.apply {
                        if (try? ground.store.journal())??.state == .ready { onStep() }
                    }
                }
                isReady = try ground.store.journal()?.state == .ready
                #expect(isReady)
                try ground.shell("mkdir n; echo mine > n/mine", in: ground.workspace)
                let before = try ground.state()
                let wasKilled = try Self.dies(after: last) { onStep in
                    do { _ = try ReviewWork(ground.store, onStep: onStep).recover() } catch is JailError {}
                }
                if wasKilled { do { try ReviewWork(ground.store).recover() } catch is JailError {} }
                let left = try ground.state()
                let staging = before.split(separator: "\n").filter { $0.contains(".clawjail-apply-") }
                #expect(!staging.isEmpty)
                let expected = before.split(separator: "\n", omittingEmptySubsequences: false)
                #expect(!left.contains(".clawjail-apply-"))
                for line in left.split(separator: "\n") { #expect(expected.contains(line), "\(line)") }
                #expect(
                    try ground.read("a") == "one\n" && ground.read("b") == "two\n" && ground.read("n/mine") == "mine\n")
                #expect(ground.has("d/x") && !ground.has("e/q"))
                #expect(try ground.store.journal() == nil)
                if !wasKilled { break }
            }
        }
    }

    @Test func `killed after any step of discarding, the workspace is untouched`() async {
        await #expect(processExitsWith: .success) {
            for last in 1...100 {
                let ground = try Ground(ApplyTests.before, ApplyTests.after, opaque: ["d"])
                let before = try ground.state()
                let wasKilled = try Self.dies(after: last) { onStep in
                    try ReviewWork(ground.store, onStep: onStep).discard(
                        try Selection(paths: [FilePath(argument: "n"), FilePath(argument: "a")]).choose(
                            from: try ground.changes()))
                }
                try ReviewWork(ground.store).recover()
                #expect(try ground.state() == before)
                #expect(try ground.listed() == ["D b", "T d", "D d/x", "M d/y", "P e", "A e/q", "M l"])
                if !wasKilled { break }
            }
        }
    }
}
