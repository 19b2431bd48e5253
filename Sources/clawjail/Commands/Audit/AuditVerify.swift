import ArgumentParser
import AuditLog
import AuditViews
internal import Glibc
import JailCore
import JailPlan

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether logs are as they were written.",
        discussion: """
            A log by itself shows every change that does not also redo the chain up to the next signature. Only heads that \
            were kept elsewhere show that its end was cut off, or that all of it was replaced: give them with --head, --heads \
            or --journal. Started by root, the host's own file of heads is read as well. Exit status 1: a log was changed.
            """)

    @Argument(help: "Names of jails, GATEWAY/ID for a session; the default is all.")
    var jails: [String] = []

    @Option(help: ArgumentHelp("A head that was kept elsewhere, as SEQ:DIGEST; of one jail.", valueName: "head"))
    var head: [String] = []

    @Option(
        help: ArgumentHelp("Read heads from this file: lines that hold 'clawjail-audit head …'.", valueName: "file"),
        completion: .file())
    var heads: [String] = []

    @Flag(help: "Ask the host's journal for heads.")
    var journal = false

    @Flag(help: "Print what was found as JSON.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let kept = try keptHeads()
            let given = try givenHeads()
            var isIntact = true
            for log in try AuditCommand.logs(jails) {
                let report = try AuditReading.verify(log, heads: kept[log.jail] + given)
                if !report.isIntact { isIntact = false }
                try Output.print(json ? report.json(log.jail).text() : report.text(log.jail))
            }
            Output.leave(isIntact ? 0 : 1)
        } catch { Output.fail(error) }
    }

    private func givenHeads() throws(JailError) -> [AuditPosition] {
        guard head.isEmpty || jails.count == 1 else {
            throw JailError(.usage, reason: "--head goes with the name of one jail")
        }
        return try head.map { (text) throws(JailError) in
            guard let position = AuditPosition(text: text) else {
                throw JailError(.usage, reason: "'\(text.printable)' is no head", hint: "write SEQ:DIGEST")
            }
            return position
        }
    }

    private func keptHeads() throws(JailError) -> AuditHeads {
        var result = AuditHeads()
        let own = try AuditCommand.base() + "/heads"
        if System.effectiveUserID == 0, let text = try? System.readFile(own, limit: Self.limit) {
            result.read(String(decoding: text, as: UTF8.self))
        }
        for path in heads {
            let text = try attempt(.audit, path) { () throws(SystemError) in
                try System.readFile(path, limit: Self.limit)
            }
            result.read(String(decoding: text, as: UTF8.self))
        }
        if journal {
            let words = ["journalctl", "--no-pager", "--quiet", "-o", "cat", "-t", "clawjail-audit"]
            result.read(try HostProgram.output(words, limit: Self.limit))
        }
        return result
    }

    private static let limit = 1 << 28
}

extension AuditReport {
    fileprivate func text(_ jail: String) -> String {
        var lines = [
            "\(jail): \(isIntact ? "ok" : "CHANGED")  \(records) records of \(launches) launches in \(segments) files, "
                + "signed up to \(signed), "
                + (headsConfirmed > 0 ? "up to \(anchored) as heads kept elsewhere say" : "no head from elsewhere")
        ]
        lines += findings.map { "  \($0.kind.isBreach ? "CHANGED" : "note")  \($0.description)" }
        lines.append("  head  \(last.text)")
        return lines.joined(separator: "\n")
    }

    fileprivate func json(_ jail: String) -> JSON {
        [
            "jail": .string(jail), "intact": .boolean(isIntact), "records": .number(records),
            "launches": .number(launches), "files": .number(segments), "checkpoints": .number(checkpoints),
            "signed": .number(signed), "headsConfirmed": .number(headsConfirmed), "anchored": .number(anchored),
            "head": .string(last.text),
            "findings": .array(
                findings.map {
                    [
                        "kind": .string($0.kind.rawValue), "breach": .boolean($0.kind.isBreach),
                        "segment": .number($0.segment), "line": .number($0.line),
                        "seq": $0.sequence.map { .number($0) } ?? .null, "text": .string($0.text),
                    ]
                }),
        ]
    }
}
