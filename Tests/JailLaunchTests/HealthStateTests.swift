import JailPolicy
import Testing

@testable import JailLaunch

struct `What is thought of a jail's health` {
    /// Startperiod 60 s, interval 10 s, three failures.
    private static func rules(_ change: (inout HealthRules) -> Void = { _ in }) -> HealthRules {
        var rules = HealthRules(.tcp(port: 1))
        change(&rules)
        return rules
    }

    private static func seconds(_ count: Double) -> Int64 { Int64(count * 1_000_000_000) }

    /// One who knows the time.
    private struct Clock {
        var state: HealthState
        var now: Int64 = seconds(100)

        init(_ rules: HealthRules = rules()) { state = HealthState(rules, now: now) }

        mutating func after(_ wait: Double, _ failure: String?) -> HealthState.Change? {
            now += seconds(wait)
            return state.take(failure, now: now)
        }
    }

    @Test func `it starts, and the first success makes it healthy, once`() {
        var clock = Clock()
        #expect(clock.state.condition == .starting)
        #expect(clock.after(1, "no") == nil && clock.state.condition == .starting)
        #expect(clock.after(1, nil) == HealthState.Change(condition: .healthy))
        #expect(clock.after(1, nil) == nil)
    }

    @Test func `while it starts it is asked often, and then at its interval`() {
        var clock = Clock()
        var pauses: [Double] = [Double(clock.state.next - clock.now) / 1e9]
        for failure in ["no", "no", "no", nil, "no"] {
            _ = clock.after(1, failure)
            pauses.append(Double(clock.state.next - clock.now) / 1e9)
        }
        #expect(pauses == [0.25, 0.5, 1, 1, 10, 10])
        var quick = Clock(Self.rules { $0.interval = 100 })
        #expect(quick.state.next - quick.now == Self.seconds(0.1))
        _ = quick.after(1, "no")
        #expect(quick.state.next - quick.now == Self.seconds(0.1))
    }

    @Test func `failures count once the start period is over, and say so`() {
        var clock = Clock()
        #expect(clock.after(59.9, "closed") == nil)
        #expect(
            clock.after(0.1, "closed")
                == HealthState.Change(
                    condition: .unhealthy, reason: "not healthy within 1m of its start: closed"))
        #expect(clock.after(1, "closed") == nil)
        #expect(clock.after(1, nil) == HealthState.Change(condition: .healthy, isAgain: true))
    }

    @Test func `so many failures in a row make it unhealthy, and a success in between starts over`() {
        var clock = Clock()
        _ = clock.after(1, nil)
        for failure in ["a", "b", nil, "c", "d"] { #expect(clock.after(10, failure) == nil) }
        #expect(
            clock.after(10, "e") == HealthState.Change(condition: .unhealthy, reason: "3 times in a row: e"))
        #expect(clock.after(10, "f") == nil)
        #expect(clock.after(10, nil) == HealthState.Change(condition: .healthy, isAgain: true))
        #expect(clock.after(10, "a") == nil)
    }

    @Test func `one failure can be enough, and a start period none`() {
        var clock = Clock(
            Self.rules {
                $0.retries = 1
                $0.startPeriod = 0
            })
        #expect(clock.after(0, "a")?.condition == .unhealthy)
        #expect(clock.after(0, nil)?.isAgain == true)
        #expect(clock.after(1, "b") == HealthState.Change(condition: .unhealthy, reason: "b"))
    }
}
