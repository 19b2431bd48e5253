internal import JailCommands
internal import JailCore
internal import JailPlan

/// Gives each call to whoever runs commands at the place that its rule names.
final class CommandPlaces: CommandRuns {
    private let places: [CommandsPlan.Place]
    /// In the jail that asks.
    private let inside: (any CommandRuns)?
    /// In a process apart.
    private let elsewhere: (any CommandRuns)?
    private var running: [UInt32: any CommandRuns] = [:]

    /// - Throws: a rule names a place where nobody runs anything.
    init(
        _ places: [CommandsPlan.Place], inside: (any CommandRuns)?, elsewhere: (any CommandRuns)?
    ) throws(JailError) {
        self.places = places
        self.inside = inside
        self.elsewhere = elsewhere
        guard places.allSatisfy({ runs(at: $0) != nil }) else {
            throw JailError(.supervise, reason: "nobody can run the commands of this plan")
        }
    }

    private func runs(at place: CommandsPlan.Place) -> (any CommandRuns)? {
        switch place {
        case .jail: inside
        case .ownJail, .host: elsewhere
        }
    }

    private var all: [any CommandRuns] { [inside, elsewhere].compactMap { $0 } }

    var pollEntries: [System.PollEntry] { all.flatMap(\.pollEntries) }
    var due: Int64? { all.compactMap(\.due).min() }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        for runs in all { try runs.handle(ready) }
    }

    func start(_ call: CommandCall, streams: [SharedDescriptor], number: UInt32) throws(SystemError) -> Bool {
        guard places.indices.contains(call.grant.index), let runs = runs(at: places[call.grant.index]) else {
            throw SystemError(.check, .invalid)
        }
        guard try runs.start(call, streams: streams, number: number) else { return false }
        running[number] = runs
        return true
    }

    func signal(_ number: UInt32, _ signal: UInt8) throws(SystemError) { try running[number]?.signal(number, signal) }
    func resize(_ number: UInt32, _ size: CommandCall.Size) throws(SystemError) {
        try running[number]?.resize(number, size)
    }
    func end(_ number: UInt32) throws(SystemError) { try running[number]?.end(number) }

    func takeReports() -> [CommandReport] {
        let reports = all.flatMap { $0.takeReports() }
        for report in reports { running[report.number] = nil }
        return reports
    }

    func takeNotices() -> [JailNotice] { all.flatMap { $0.takeNotices() } }

    func endAll() { for runs in all { runs.endAll() } }
}

extension CommandReport {
    var number: UInt32 {
        switch self {
        case .ended(let number, _, _), .failed(let number, _, _): number
        }
    }
}
