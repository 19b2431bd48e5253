internal import CommandWire
internal import JailCore

/// Why a stub ends without its command.
struct StubFailure: Error {
    var status: Int32
    var text: String

    static func notPermitted(_ reason: String, remedy: String? = nil) -> StubFailure {
        StubFailure(
            status: ExitStatus.notExecutable,
            text: "not permitted: \(reason)" + (remedy.map { "; to allow it: \($0)" } ?? ""))
    }

    static func failed(_ error: SystemError) -> StubFailure {
        StubFailure(status: ExitStatus.launchFailed, text: "\(error.call.name): \(error.errno)")
    }
}

enum Stub {
    /// - Returns: the exit status.
    static func run() -> Int32 {
        do throws(StubFailure) {
            do throws(SystemError) { try StubStreams.fill() } catch { throw .failed(error) }
            let (status, note) = try StubCall(try words()).run()
            if let note { say(note) }
            return status
        } catch {
            say(error.text)
            return error.status
        }
    }

    /// What is called, by the name that this file is shown under, and its arguments.
    private static func words() throws(StubFailure) -> [[UInt8]] {
        let arguments = System.arguments
        do throws(StubName.Refusal) {
            let executable = (try? System.readLink("/proc/self/exe")) ?? ""
            let name = try StubName.read(executable: executable, word: arguments.first ?? [])
            return [Array(name.utf8)] + arguments.dropFirst()
        } catch { throw .notPermitted(error.reason) }
    }

    private static func say(_ text: String) {
        // There is nobody else to tell.
        try? System.writeAll(.standardError, "clawjail: \(text.printable)\n")
    }
}
