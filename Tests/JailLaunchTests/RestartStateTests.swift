import JailCore
import JailPolicy
import Testing

@testable import JailLaunch

struct `Whether a jail is started again` {
    private static func seconds(_ count: Double) -> Int64 { Int64(count * 1_000_000_000) }

    /// One who knows the time. The first delay is 1 s, the longest 60 s, five restarts within 10 minutes.
    private final class Clock {
        var state: RestartState
        var now: Int64 = seconds(100)
        private let asksHealth: Bool

        init(_ on: RestartRules.Occasion, asksHealth: Bool = false, _ change: (inout RestartRules) -> Void = { _ in }) {
            var rules = RestartRules()
            rules.on = on
            change(&rules)
            state = RestartState(rules)
            self.asksHealth = asksHealth
            begin()
        }

        func begin() { state.begin(asksHealth: asksHealth) }

        func after(_ wait: Double, _ word: GuardianWord) -> Bool {
            now += seconds(wait)
            return state.take(word, now: now)
        }

        func end(_ wait: Double, _ how: Termination) -> RestartState.Verdict {
            now += seconds(wait)
            return state.end(how, now: now)
        }

        /// Seconds until the next start; nil: there is none.
        func life(_ length: Double, _ how: Termination = .exited(1)) -> Double? {
            begin()
            _ = after(0, .started)
            guard case .wait(let wait) = end(length, how) else { return nil }
            now += wait.delay
            return Double(wait.delay) / 1e9
        }
    }

    @Test func `each wait is twice the one before, up to the longest`() {
        let clock = Clock(.failure) { ($0.most, $0.longest) = (20, 10_000) }
        #expect((0..<6).map { _ in clock.life(1) } == [1, 2, 4, 8, 10, 10])
        #expect(clock.state.count == 6)
    }

    @Test func `who was well for the longest wait begins with the shortest`() {
        let clock = Clock(.failure) { ($0.most, $0.longest) = (20, 10_000) }
        #expect((0..<3).map { _ in clock.life(9.9) } == [1, 2, 4])
        #expect(clock.life(10) == 1)
        #expect(clock.life(1) == 2)
    }

    @Test func `with a health question well is who is healthy, not who is up`() {
        let clock = Clock(.unhealthy, asksHealth: true) { $0.longest = 10_000 }
        #expect(clock.life(20) == 1 && clock.life(20) == 2)
        clock.begin()
        #expect(!clock.after(0, .started) && !clock.after(5, .healthy))
        // Ten seconds of health, and then it is told that they are over.
        #expect(clock.after(10, .unhealthy("no")))
        guard case .wait(let wait) = clock.end(1, .exited(143)) else {
            Issue.record("it was not to end")
            return
        }
        #expect(wait == .init(attempt: 3, delay: Self.seconds(1), reason: "unhealthy: no"))
    }

    @Test func `more than so many restarts within the time are not made, and that is said`() {
        let clock = Clock(.failure) { ($0.most, $0.within) = (2, 60_000) }
        #expect(clock.life(1) == 1 && clock.life(1) == 2)
        clock.begin()
        #expect(
            clock.end(1, .exited(3))
                == .end("restart: exit status 3, and it was started again 2 times within 1m already: it stays ended"))
        // The first one is too long ago to count.
        #expect(clock.end(60, .exited(3)) != .end(nil))
        #expect(clock.life(0) != nil)
    }

    @Test(arguments: [
        (RestartRules.Occasion.failure, [false, true, true, true]),
        (.unhealthy, [false, true, true, true]), (.always, [true, true, true, true]),
    ])
    func `what it ends with decides`(on: RestartRules.Occasion, expected: [Bool]) {
        let ends: [Termination] = [.exited(0), .exited(1), .exited(137), .signalled(9)]
        for (end, isRestarted) in zip(ends, expected) {
            let clock = Clock(on)
            #expect((clock.life(1, end) != nil) == isRestarted, "\(on) \(end)")
        }
    }

    @Test(arguments: [78, 64, 126, 127]) func `what another start would not mend is final, and said`(status: Int32) {
        let clock = Clock(.always)
        _ = clock.after(0, .started)
        #expect(
            clock.end(1, .exited(status)) == .end("restart: status \(status) is none that another start would mend"))
    }

    @Test func `what has never run is not tried again, and a later start that fails is`() {
        let clock = Clock(.always)
        #expect(clock.end(1, .exited(125)) == .end(nil))
        let other = Clock(.failure)
        #expect(other.life(1) == 1)
        other.begin()
        #expect(
            other.end(0, .exited(125)) == .wait(.init(attempt: 2, delay: Self.seconds(2), reason: "exit status 125")))
    }

    @Test func `an end that was asked for is final, whoever asks`() {
        let told = Clock(.always)
        #expect(!told.after(0, .started) && !told.after(0, .final))
        #expect(told.end(1, .signalled(9)) == .end(nil))
        let signalled = Clock(.always)
        _ = signalled.after(0, .started)
        signalled.state.refuseMore()
        #expect(signalled.end(1, .exited(1)) == .end(nil) && signalled.state.isFinal)
        // Also while it is being stopped because it was unhealthy.
        let unwell = Clock(.unhealthy, asksHealth: true)
        _ = unwell.after(0, .started)
        #expect(unwell.after(1, .unhealthy("x")) && !unwell.after(0, .final))
        #expect(unwell.end(1, .exited(143)) == .end(nil))
    }

    @Test func `unhealthy stops it once, and only where the profile says so`() {
        let clock = Clock(.failure, asksHealth: true)
        #expect(!clock.after(0, .started) && !clock.after(1, .unhealthy("x")))
        #expect(clock.end(1, .exited(0)) == .end(nil))
        let other = Clock(.always, asksHealth: true)
        #expect(!other.after(0, .started) && other.after(1, .unhealthy("x")) && !other.after(1, .unhealthy("y")))
        #expect(other.end(1, .exited(0)) == .wait(.init(attempt: 1, delay: Self.seconds(1), reason: "unhealthy: x")))
        // The next one is judged by itself.
        other.begin()
        #expect(other.after(1, .unhealthy("z")))
    }

    @Test(arguments: [GuardianWord.started, .healthy, .unhealthy(""), .unhealthy("2 times: no"), .final])
    func `words and orders come through as they were`(word: GuardianWord) {
        #expect(GuardianWord(word.bytes) == word)
        for order in [GuardianOrder.restart, .signal(1), .signal(64)] { #expect(GuardianOrder(order.bytes) == order) }
    }

    @Test func `what is none is refused, and what is too long is cut off`() {
        for bytes: [UInt8] in [[], [0], [9], [1, 1], [4, 0], [2, 2]] { #expect(GuardianWord(bytes) == nil) }
        for bytes: [UInt8] in [[], [1], [1, 0], [1, 65], [2, 1], [3, 0], [1, 9, 9]] {
            #expect(GuardianOrder(bytes) == nil)
        }
        #expect(GuardianWord.unhealthy(String(repeating: "x", count: 5000)).bytes.count == GuardianWord.sizeLimit)
    }
}
