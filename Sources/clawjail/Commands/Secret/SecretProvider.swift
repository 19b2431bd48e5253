import ArgumentParser
import JailCore
import JailPlan
import JailPolicy
import SecretStore

struct SecretProvider: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider", abstract: "Inside a jail: give OpenClaw the placeholders that stand for secrets.",
        discussion: """
            Reads one request of OpenClaw's exec providers from standard input and answers it. Ids are the names of the \
            profile's 'secrets'. It is run by /run/clawjail/bin/clawjail-secrets, which a profile with \
            process.secretProvider shows. No secret is ever in a jail, so none can be given out.
            """)

    mutating func run() { Self.run() }

    /// As the interpreter of ``PlaceholderFile/program``: its own name, one word, and what OpenClaw calls it with.
    static func isCalled(_ words: [String]) -> Bool {
        words.count >= 3 && words[1] == PlaceholderFile.word && words[2] == PlaceholderFile.program
    }

    static func run() -> Never {
        do throws(JailError) {
            // The request first: who wrote it may still be writing.
            let request = try attempt(.secrets, "standard input") { () throws(SystemError) in
                try System.readAll(.standardInput, limit: PlaceholderAnswer.sizeLimit)
            }
            let answer = try PlaceholderAnswer.answer(to: request, from: try placeholders())
            try attempt(.secrets, "standard output") { () throws(SystemError) in
                try System.writeAll(.standardOutput, answer.text())
            }
            Output.leave(0)
        } catch { Output.fail(error) }
    }

    private static func placeholders() throws(JailError) -> [String: SecretPlaceholder] {
        let content: [UInt8]
        do throws(SystemError) {
            // The root that it lies in is read-only. And openat2(2) is no call that a jail has.
            let file = try System.open(PlaceholderFile.path, [.readOnly, .noFollow, .nonBlocking])
            content = try System.readAll(file.borrowed, limit: PlaceholderFile.sizeLimit)
        } catch {
            throw JailError(
                .secrets, error, path: PlaceholderFile.path,
                hint: "this is for the inside of a jail whose profile has process.secretProvider")
        }
        guard let placeholders = PlaceholderFile.read(content) else {
            throw JailError(.secrets, path: PlaceholderFile.path, reason: "it is no list of placeholders")
        }
        return placeholders
    }
}
