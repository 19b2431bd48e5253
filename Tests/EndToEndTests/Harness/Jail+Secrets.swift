import Foundation
import Glibc

extension Jail {
    /// Gives the caller a store of the test's own, and (of root's) profiles of its own: the host's are left alone.
    mutating func keepSecretsApart(profiles: [String: String] = [:]) throws {
        if caller == .root {
            let state = try Scratch.directory("state", owner: 0, mode: 0o700)
            let directory = try Scratch.directory("named", owner: 0)
            for (name, text) in profiles { try Scratch.write(text, to: "\(directory)/\(name).json5") }
            hostChange = """
                mkdir -p /var/lib/clawjail /etc/clawjail/profiles && mount --bind '\(state)' /var/lib/clawjail \
                && mount --bind '\(directory)' /etc/clawjail/profiles
                """
        } else {
            let user = try Host.user.get()
            var path = home
            for name in [".config", "clawjail", "profiles"] {
                path += "/\(name)"
                unsafe mkdir(path, 0o755)
                if Host.isRoot { unsafe chown(path, user.uid, user.gid) }
            }
            for (name, text) in profiles {
                try Scratch.write(text, to: "\(path)/\(name).json5")
                if Host.isRoot { unsafe chown("\(path)/\(name).json5", user.uid, user.gid) }
            }
        }
    }

    /// `clawjail secret WORDS`.
    @discardableResult
    func secret(_ words: String..., input: String? = nil) throws -> String {
        var keeper = self
        if let input {
            keeper.standardInput = Scratch.file("value")
            try Scratch.write(input, to: keeper.standardInput)
        }
        let finished = try keeper.start(words: ["secret"] + words).wait(30)
        guard finished.status == 0 else { throw HarnessError("\(finished.errors)") }
        return finished.text
    }
}
