import ArgumentParser
import JailCore
import JailView

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch running jails, and pause or stop them.",
        discussion: """
            A screen of all jails, with what they use, what they ask of the way out, and the last events of the one that \
            is selected; '?' lists the keys. No colours with NO_COLOR set.
            """)

    @Option(help: ArgumentHelp("Seconds between two looks, from 0.2 to 60.", valueName: "seconds"))
    var interval = 1.0

    @Option(help: "What the jails are sorted by.")
    var sort = TopState.Sort.name

    @Flag(help: "Print the table once, and leave.")
    var once = false

    func validate() throws {
        guard (0.2...60).contains(interval) else { throw ValidationError("--interval is from 0.2 to 60 seconds") }
    }

    mutating func run() {
        do throws(JailError) {
            // Refused inside a jail, before anything is drawn.
            let jails = try JailLook.jails(named: nil)
            if once { return try Self.print(jails, sort) }
            guard Surroundings.isTerminal(.standardInput), Surroundings.isTerminal(.standardOutput),
                !Surroundings.isDumb
            else {
                throw JailError(
                    .usage, reason: "top needs a terminal that moves its cursor",
                    hint: "'clawjail top --once' prints the table")
            }
            var loop = try TopLoop(interval: Int64(interval * 1_000_000_000), sort: sort)
            try loop.run()
        } catch { Output.fail(error) }
    }

    /// Milliseconds between two looks: rates take two.
    private static let pause: Int32 = 500

    private static func print(_ jails: [RunningJail], _ sort: TopState.Sort) throws(JailError) {
        var state = TopState()
        state.sort = sort
        state.hostName = Surroundings.hostName
        state.take(JailLook.samples(of: jails))
        if !jails.isEmpty {
            try attempt(.supervise) { () throws(SystemError) in try System.pause(milliseconds: pause) }
        }
        state.now = System.realtimeSeconds()
        state.clockOffset = Surroundings.clockOffset(state.now)
        state.take(JailLook.samples(of: try RunningJail.all()))
        let columns =
            (try? System.terminalSize(.standardOutput)).flatMap { $0.columns > 0 ? Int($0.columns) : nil }
            ?? System.environmentValue("COLUMNS").flatMap { Int($0) } ?? 80
        let frame = TopFrame(state, rows: 0, columns: min(max(columns, 20), 500), Surroundings.glyphs)
        let colours = Surroundings.wantsColours && Surroundings.isTerminal(.standardOutput)
        try Output.print(frame.printed.map { (colours ? $0.text(colours: true) : $0.text) + "\n" }.joined())
    }
}

extension TopState.Sort: ExpressibleByArgument {}
