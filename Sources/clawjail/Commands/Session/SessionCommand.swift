import ArgumentParser

struct SessionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "Make sandboxes of chats, execute commands in them, remove them.",
        discussion: """
            120: there is no such session or exec; 121: the session is there, and does not run; 122: it is there, with \
            another configuration; 123: refused.
            """,
        subcommands: [
            SessionCreate.self, SessionExec.self, SessionKill.self, SessionInspect.self, SessionList.self,
            SessionRemove.self, SessionPrune.self,
        ])
}
