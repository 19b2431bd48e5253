package import JailCore

/// Asks a program for secrets: all of them in one go, without a shell, for a bounded time and a bounded answer. What it says on
/// standard error is shown to nobody, for a secret may stand in it.
package struct ExecSource: SecretSource {
    private let provider: ExecProvider

    package init(_ provider: ExecProvider) { self.provider = provider }

    package func resolve(_ ids: [String], now: Int64) throws(JailError) -> [String: ResolvedSecret] {
        guard !ids.isEmpty else { return [:] }
        try provider.check(ids)
        try checkProgram()
        let run = try ExecRun(provider, input: provider.request(ids))
        let answer = try run.answer()
        return try provider.values(of: ids, in: answer.bytes)
    }

    // MARK: The program

    /// It and every directory above it: nobody else can put another one in its place.
    private func checkProgram() throws(JailError) {
        let path = provider.command
        guard path.utf8.first == 0x2F else { throw provider.refusal("its command must be an absolute path") }
        var status = try look(path)
        guard status.kind != .symlink else {
            throw provider.refusal(
                "its command '\(path.printable)' is a symlink", hint: "name the program that it points to")
        }
        guard status.kind == .regular, status.permissions & 0o111 != 0 else {
            throw provider.refusal("its command '\(path.printable)' is no program that may be executed")
        }
        var place = path
        while true {
            guard [0, System.effectiveUserID].contains(status.uid) else {
                throw provider.refusal("'\(place.printable)' belongs to uid \(status.uid)")
            }
            // Where the sticky bit is, nobody replaces what is another's.
            let isSafe = status.isDirectory && status.permissions & 0o1000 != 0
            guard status.permissions & 0o022 == 0 || isSafe else {
                throw provider.refusal("others may write to '\(place.printable)'", hint: "chmod go-w it")
            }
            if place == "/" { return }
            place = place.parentPath
            status = try look(place)
            guard status.isDirectory else {
                throw provider.refusal(
                    "'\(place.printable)' is no directory of its own", hint: "give the path without symlinks")
            }
        }
    }

    private func look(_ path: String) throws(JailError) -> FileStatus {
        do throws(SystemError) { return try System.status(path) } catch {
            throw provider.refusal("'\(path.printable)': \(error.errno)")
        }
    }
}
