import JailApprovals
import JailCgroups
import JailCore
import JailView

/// What runs, for people.
extension PageDesk {
    /// Events of each kind that are shown.
    private static let mostEvents = 30

    func jails(for token: AccessToken) throws(JailError) -> JSON {
        let all = try JailLook.jails(named: nil)
        let jails = all.filter { Self.maySee(token, $0, among: all) }
        let samples = JailLook.samples(of: jails)
        let events = zip(jails, JailLook.events(of: jails.map(\.name))).flatMap { jail, events in
            (events ?? []).map { (jail: jail.name, event: $0) }
        }.sorted { $0.event.time > $1.event.time }
        var known: Set<String> = []
        // The newest of those that say the same.
        let different = events.filter { known.insert("\($0.jail) \($0.event.text)").inserted }
        func shown(_ include: (EventLine) -> Bool) -> JSON {
            .array(different.filter { include($0.event) }.prefix(Self.mostEvents).map { Self.json($0.jail, $0.event) })
        }
        return [
            "jails": .array(samples.map(Self.json)), "all": .boolean(Self.mayHandleAll(token)),
            "denials": shown(\.isDenial),
            "alerts": shown { Self.alerts.contains($0.name) },
        ]
    }

    private static let alerts: Set = ["alert", "limit", "canary", "secret-returned", "secret-misuse", "lockdown"]

    private static func json(_ jail: String, _ event: EventLine) -> JSON {
        [
            "jail": .string(jail.printable), "time": .number(event.time), "text": .string(event.text),
            "weight": .string(event.weight == .bad ? "bad" : "plain"), "remedy": .optional(event.remedy),
        ]
    }

    /// Characters of a command that are shown.
    private static let longestCommand = 300

    private static func shortened(_ text: String) -> String {
        text.count <= longestCommand ? text : text.prefix(longestCommand) + " …"
    }

    private static func json(_ sample: JailSample) -> JSON {
        let usage = sample.usage
        func limited(_ value: String?, _ limit: String?) -> JSON {
            .optional(value.map { value in limit.map { "\(value) of \($0)" } ?? value })
        }
        let up = (sample.figures?.upMilliseconds).map { Quantity.age(Int64(clamping: $0 / 1000)) }
        let asked = sample.figures.flatMap(\.askedLately)
        let denied = sample.figures.flatMap { $0.tells == .nothing ? nil : $0.denialsLately }
        return [
            "name": .string(sample.name.printable), "profile": .string(sample.profile),
            "condition": .string(sample.condition.rawValue), "command": .string(shortened(sample.command)),
            "up": .optional(up),
            "memory": limited(usage?.memory.map(Quantity.bytes), usage?.memoryLimit.map(Quantity.bytes)),
            "processes": limited(usage?.processes.map { "\($0)" }, usage?.processLimit.map { "\($0)" }),
            "processor": .optional(usage?.processorTime.map { "\(Quantity.seconds($0)) in all" }),
            "requests": .optional(asked.map { "\($0)" }), "denials": .optional(denied.map { "\($0)" }),
            "published": .strings(sample.published),
        ]
    }
}
