import ArgumentParser
import JailCore
import JailPolicy

struct Promote: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move a profile of your own one rung up the ladder.",
        discussion: """
            What it extends is replaced by the rung above, and nothing else in it changes. 'clawjail verify' must hold for it \
            before and after, or nothing is changed. Who, when and why is written down.
            """)

    @Argument(help: "The profile: a name.", completion: .profiles) var profile: String
    @Argument(help: "The rung above the one that it extends.", completion: .profiles) var rung: String
    @Option(help: "Why, on one line; it is written down.") var reason: String
    @OptionGroup var options: MoveOptions

    mutating func run() {
        do throws(JailError) {
            let own = try OwnProfile(profile)
            try own.ladder.checkStep(from: own.rung, to: rung)
            let move = try LadderMove(own, to: rung, reason: reason, options)
            try move.verify(own.path, "as it is")
            let draft = try own.draft(on: rung)
            try move.printDifference(to: draft.path)
            try move.verify(draft.path, "on '\(rung)'")
            try move.perform(draft)
            try move.record("promote")
            try move.restart(stopping: false)
        } catch { Output.fail(error) }
    }
}

struct Demote: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move a profile of your own one rung down the ladder, at once.",
        discussion: """
            What runs with it is started again by systemd, if that has started it, and is stopped otherwise: it may do more than \
            it shall. Then 'clawjail verify' says whether the profile holds.
            """)

    @Argument(help: "The profile: a name.", completion: .profiles) var profile: String
    @Option(help: "Why, on one line; it is written down.") var reason: String
    @OptionGroup var options: MoveOptions

    mutating func run() {
        do throws(JailError) {
            let own = try OwnProfile(profile)
            guard let rung = own.ladder.below(own.rung) else {
                throw JailError(
                    .profile, reason: "'\(own.rung)' is the lowest rung", hint: "clawjail stop ends the jail")
            }
            let move = try LadderMove(own, to: rung, reason: reason, options)
            let draft = try own.draft(on: rung)
            try move.printDifference(to: draft.path)
            try move.perform(draft)
            try move.restart(stopping: true)
            try move.record("demote")
            try move.verify(own.path, "on '\(rung)'")
        } catch { Output.fail(error) }
    }
}

/// What both take.
struct MoveOptions: ParsableArguments {
    @Flag(help: "Leave what runs as it is; the next start takes the change up.")
    var keepRunning = false

    @Option(help: "Host user that the profile's jail runs as, for a look at it; needed when called by root.")
    var user: String?
}
