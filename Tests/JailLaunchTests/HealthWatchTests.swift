import JailCore
import JailPolicy
import Testing

@testable import JailLaunch

/// The probes of a jail whose init is this test.
struct `Asking a jail how it is` {
    private final class Init {
        var asked = 0
        var isFull = false
        var executed: [(request: ExecRequest, client: SharedDescriptor)] = []
        var isBusy = false

        var means: HealthWatch.Means {
            HealthWatch.Means(
                askForSocket: { () throws(SystemError) in
                    if self.isFull { return false }
                    self.asked += 1
                    return true
                },
                execute: { (request, client) throws(SystemError) in
                    if self.isBusy { return false }
                    self.executed.append((request, client))
                    return true
                })
        }
    }

    private static let start: Int64 = 1_000_000_000_000
    private static func after(_ seconds: Double) -> Int64 { start + Int64(seconds * 1e9) }
    private static let nothing = System.PollResult([])

    /// Without a start period, one failure is enough to hear of it.
    private static func watch(_ probe: HealthRules.Probe) -> HealthWatch {
        var rules = HealthRules(probe)
        rules.startPeriod = 0
        rules.retries = 1
        return HealthWatch(rules, now: start)
    }

    private static func ready(_ watch: HealthWatch) throws -> System.PollResult {
        var entries = watch.pollEntries
        if !entries.isEmpty { try System.poll(&entries, milliseconds: 100) }
        return System.PollResult(entries)
    }

    @Test func `nothing is asked before it is due`() throws {
        let host = Init()
        let watch = Self.watch(.tcp(port: 1))
        #expect(watch.due == Self.after(0.25) && watch.pollEntries.isEmpty)
        try watch.handle(Self.nothing, host.means, now: Self.after(0.2))
        #expect(host.asked == 0)
        try watch.handle(Self.nothing, host.means, now: Self.after(0.25))
        #expect(host.asked == 1 && watch.due == Self.after(5.25))
    }

    @Test func `a jail that stands still is not asked, and afterwards has an interval`() throws {
        let host = Init()
        let watch = Self.watch(.tcp(port: 1))
        try watch.handle(Self.nothing, host.means, now: Self.after(0.25))
        watch.hold(true, now: Self.after(1))
        #expect(watch.due == nil && watch.pollEntries.isEmpty)
        try watch.handle(Self.nothing, host.means, now: Self.after(100))
        #expect(host.asked == 1 && watch.condition == .starting && watch.takeChanges().isEmpty)
        watch.hold(false, now: Self.after(200))
        #expect(watch.due == Self.after(210))
        // The socket of the probe that was given up comes late, and is not taken for another one.
        watch.deliver(nil, now: Self.after(201))
        #expect(watch.takeChanges().isEmpty)
        try watch.handle(Self.nothing, host.means, now: Self.after(210))
        #expect(host.asked == 2)
    }

    @Test func `an init that gives no socket is a failure in time, and is not asked for more and more`() throws {
        let host = Init()
        let watch = Self.watch(.tcp(port: 1))
        try watch.handle(Self.nothing, host.means, now: Self.after(0.25))
        try watch.handle(Self.nothing, host.means, now: Self.after(5.25))
        #expect(watch.takeChanges().first?.reason?.hasSuffix("jail init does not answer") == true)
        for second in [20.0, 40, 60] { try watch.handle(Self.nothing, host.means, now: Self.after(second)) }
        #expect(host.asked == 1)
        // What comes late is nobody's; the next one is asked for again.
        watch.deliver(SharedDescriptor(try System.makeInternetSocket()), now: Self.after(61))
        #expect(watch.pollEntries.isEmpty)
        try watch.handle(Self.nothing, host.means, now: Self.after(80))
        #expect(host.asked == 2)
    }

    @Test func `an init that is full, or has no socket left, is a failure at once`() throws {
        let host = Init()
        host.isFull = true
        let watch = Self.watch(.tcp(port: 1))
        try watch.handle(Self.nothing, host.means, now: Self.after(1))
        #expect(watch.takeChanges().count == 1 && watch.condition == .unhealthy)
        let other = Init()
        let second = Self.watch(.tcp(port: 1))
        try second.handle(Self.nothing, other.means, now: Self.after(1))
        second.deliver(nil, now: Self.after(1))
        #expect(second.takeChanges().first?.reason?.hasSuffix("the jail has no socket left") == true)
    }

    @Test func `a peer that says nothing runs out of time`() throws {
        let host = Init()
        let listener = try System.makeInternetSocket()
        try System.bind(listener.borrowed, address: 0x7F00_0001, port: 0)
        try System.listen(listener.borrowed)
        let watch = Self.watch(.http(port: try System.localPort(listener.borrowed), path: "/"))
        try watch.handle(Self.nothing, host.means, now: Self.after(1))
        watch.deliver(SharedDescriptor(try System.makeInternetSocket()), now: Self.after(2))
        try watch.handle(try Self.ready(watch), host.means, now: Self.after(3))
        #expect(watch.takeChanges().isEmpty && watch.due == Self.after(6))
        try watch.handle(Self.nothing, host.means, now: Self.after(6))
        #expect(watch.takeChanges().first?.reason?.hasSuffix(": no answer within 5s") == true)
        withExtendedLifetime(listener.borrowed) {}
    }

    @Test(arguments: [
        (ControlReply.ended(0), nil), (.ended(3), "exit status 3"), (.refused(127, "exec: no\n"), "exec: no\\n"),
        (.done, "it ended in an unknown way"),
    ])
    func `a command says it with its status`(reply: ControlReply, reason: String?) throws {
        let host = Init()
        let watch = Self.watch(.exec(["check", "it"]))
        try watch.handle(Self.nothing, host.means, now: Self.after(1))
        let call = try #require(host.executed.first)
        #expect(call.request == ExecRequest(arguments: [Array("check".utf8), Array("it".utf8)]))
        try System.send(call.client.borrowed, reply.bytes)
        try watch.handle(try Self.ready(watch), host.means, now: Self.after(2))
        let changes = watch.takeChanges()
        #expect(changes.count == 1 && changes[0].reason?.hasSuffix(reason ?? "?") == (reason == nil ? nil : true))
        #expect(watch.condition == (reason == nil ? .healthy : .unhealthy))
    }

    @Test func `a command that runs too long is let go, and one that does not end is none to begin with`() throws {
        let host = Init()
        let watch = Self.watch(.exec(["sleep"]))
        try watch.handle(Self.nothing, host.means, now: Self.after(1))
        try watch.handle(Self.nothing, host.means, now: Self.after(6))
        #expect(watch.takeChanges().first?.reason?.hasSuffix(": sleep: no answer within 5s") == true)
        // Its end of the connection is closed: that is what ends the command.
        #expect(try System.receive(try #require(host.executed.first).client.borrowed, most: 16).bytes.isEmpty)
        host.isBusy = true
        try watch.handle(Self.nothing, host.means, now: Self.after(20))
        #expect(host.executed.count == 1 && watch.condition == .unhealthy)
    }

    @Test func `a jail that is being stopped is asked nothing more`() throws {
        let host = Init()
        let watch = Self.watch(.tcp(port: 1))
        try watch.handle(Self.nothing, host.means, now: Self.after(1))
        watch.end()
        #expect(watch.due == nil && watch.pollEntries.isEmpty)
        watch.deliver(SharedDescriptor(try System.makeInternetSocket()), now: Self.after(1))
        try watch.handle(Self.nothing, host.means, now: Self.after(100))
        #expect(watch.takeChanges().isEmpty && host.asked == 1)
    }
}
