import JailCore
import JailHostAudit

/// `--fix`: each change asked for, made, and told.
struct HostMending {
    let view: HostView
    let asks: Bool
    /// What was done is told otherwise.
    let isQuiet: Bool

    /// - Returns: what was done, one line each.
    func mend(_ findings: [HostFinding]) throws(JailError) -> [String] {
        var done: [String] = []
        var told: Set<String> = []
        for fix in findings.flatMap(\.fixes) where told.insert(fix.path).inserted {
            if asks {
                switch try ask("\(fix.description)? [y/N/q] ") {
                case "y", "yes": break
                case "q", nil: return done
                default: continue
                }
            }
            do throws(ModeMender.Refusal) {
                try ModeMender.perform(fix, in: view, as: System.effectiveUserID)
                done.append(fix.description)
                if !isQuiet { try? Output.print("mended: \(fix.description)") }
            } catch { Output.say("not mended: \(fix.description): \(error.text)") }
        }
        return done
    }

    /// One line of the terminal's, in small letters; nil: it has ended.
    private func ask(_ question: String) throws(JailError) -> String? {
        try attempt(.usage, "standard error") { () throws(SystemError) in
            try System.writeAll(.standardError, question)
        }
        var line: [UInt8] = []
        while line.count < 256 {
            let part = try attempt(.usage, "standard input") { () throws(SystemError) in
                try System.read(.standardInput, most: 1)
            }
            guard let byte = part.first else { return line.isEmpty ? nil : text(line) }
            if byte == 0x0A { return text(line) }
            line.append(byte)
        }
        return text(line)
    }

    private func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).lowercased().filter { !$0.isWhitespace }
    }
}
