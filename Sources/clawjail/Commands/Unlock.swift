import ArgumentParser
import JailCore
import JailLaunch
import JailPlan
import JailPolicy

struct Unlock: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a jail that was locked down start again.",
        discussion: """
            Nothing is started, and what still stands still stays so until it is stopped. With --all that of 'lockdown --all' \
            is lifted; a jail that was locked down by its name stays so. Who, when and why is written beside the markers.
            """)

    @Argument(help: "The jail's name.")
    var name: String?

    @Flag(help: "Lift what 'clawjail lockdown --all' has done.")
    var all = false

    @Option(help: "Why, on one line; it is written down.")
    var reason: String

    mutating func run() {
        do throws(JailError) {
            let subject = try Lockdown.subject(name, all: all)
            guard LockdownOrder(reason: reason, who: "") != nil else { throw LockdownWork.noReason }
            let state = try LockdownWork.stateDirectory()
            guard let marker = try LockdownMarker.read(subject, in: state) else {
                throw JailError(
                    .lockdown, path: LockdownMarker.directory(state), reason: "\(subject.shown) is not locked down",
                    hint: try LockdownMarker.read(.all, in: state) == nil
                        ? nil : "all jails are: clawjail unlock --all --reason TEXT", status: ExitStatus.notThere)
            }
            // Those of one lockdown go together; the one that keeps everything from starting last.
            for other in try LockdownMarker.all(in: state) where subject == .all && other != .all {
                let text = try LockdownMarker.read(other, in: state) ?? []
                if Self.belongsToAll(text) { try lift(other, text, in: state) }
            }
            try lift(subject, marker, in: state)
            if subject != .all, try LockdownMarker.read(.all, in: state) != nil {
                Output.say("all jails are still locked down; 'clawjail unlock --all --reason TEXT' lifts that")
            }
        } catch { Output.fail(error) }
    }

    private func lift(
        _ subject: LockdownMarker.Subject, _ marker: [UInt8], in state: String
    ) throws(JailError) {
        try LockdownMarker.remove(
            subject, in: state,
            history: [
                "unlocked": .string(subject.shown), "reason": .string(reason), "who": .string(LockdownWork.who()),
                "time": .string(UTCTime.text(System.realtimeSeconds())),
                "marker": .string(String(decoding: marker.prefix(8192), as: UTF8.self)),
            ])
    }

    private static func belongsToAll(_ marker: [UInt8]) -> Bool {
        guard case .boolean(true)? = (try? JSON5Reader.read(marker, file: "marker"))?["all"]?.content else {
            return false
        }
        return true
    }
}
