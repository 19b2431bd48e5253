import ArgumentParser
import AuditLog
import AuditViews
import JailCore

struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what happened, one record on a line.")

    @OptionGroup var selection: AuditSelection

    @Flag(help: "As JSON lines.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let lines = try selection.entries().map { json ? $0.json.text() : $0.line }
            try Output.print(lines.map { $0 + "\n" }.joined())
        } catch { Output.fail(error) }
    }
}

struct AuditTail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Show what happens from now on, as it is recorded.")

    @OptionGroup var selection: AuditSelection

    @Flag(help: "As JSON lines.")
    var json = false

    /// Milliseconds between two looks.
    private static let interval: Int32 = 200

    mutating func run() {
        do throws(JailError) {
            let filter = try selection.filter()
            var follows: [String: AuditFollow] = [:]
            for log in try AuditCommand.logs(selection.jails) { follows[log.jail] = AuditFollow(log, fromEnd: true) }
            while true {
                try attempt(.audit) { () throws(SystemError) in try System.pause(milliseconds: Self.interval) }
                // A jail that has come since then is followed from its beginning.
                if selection.jails.isEmpty {
                    for log in try AuditCommand.logs([]) where follows[log.jail] == nil {
                        follows[log.jail] = AuditFollow(log, fromEnd: false)
                    }
                }
                var news: [AuditEntry] = []
                for jail in follows.keys.sorted() { news += (follows[jail]?.news() ?? []).filter(filter.takes) }
                let lines = news.sorted { $0.time < $1.time }.map { json ? $0.json.text() : $0.line }
                if !lines.isEmpty { try Output.print(lines.map { $0 + "\n" }.joined()) }
            }
        } catch { Output.fail(error) }
    }
}
