internal import JailPolicy

/// A call of the `sh` that stands in the place of a shell inside.
package enum ShellCall {
    /// The words of the command that a call of `sh` means. `sh -c LINE` and `sh -lc LINE` are all that there is: there is no
    /// login to do anything for, and no `$0` nor `$1` that a line without variables could use.
    ///
    /// - Parameter arguments: without `sh` itself.
    package static func read(_ arguments: [[UInt8]]) throws(ShellCallRefusal) -> [String] {
        guard let option = arguments.first else {
            throw ShellCallRefusal("there is no shell to be had, only sh -c LINE")
        }
        guard option.elementsEqual("-c".utf8) || option.elementsEqual("-lc".utf8) else {
            throw ShellCallRefusal("the one option of sh is -c, or -lc, by itself and before the line")
        }
        guard arguments.count == 2 else {
            throw ShellCallRefusal(
                arguments.count < 2
                    ? "there is no line behind -c" : "nothing may follow the line: it could not be used in it")
        }
        do throws(ShellRefusal) { return try ShellReader.read(arguments[1]) } catch {
            throw ShellCallRefusal(error.reason, error.kind)
        }
    }
}

package struct ShellCallRefusal: Error, Equatable, Sendable {
    package let reason: String
    /// nil: it is not about the line.
    package let kind: ShellRefusal.Kind?

    init(_ reason: String, _ kind: ShellRefusal.Kind? = nil) {
        self.reason = reason
        self.kind = kind
    }
}

extension CommandPolicy {
    /// ``decide(_:)`` for what arrives from inside: bytes of which nothing is known, and calls of `sh`.
    package func decide(bytes: [[UInt8]]) -> CommandVerdict { judge(bytes: bytes).verdict }

    /// ``decide(bytes:)``, and the words that were decided about: empty if there are none that could be read.
    package func judge(bytes: [[UInt8]]) -> (verdict: CommandVerdict, words: [String]) {
        guard let name = bytes.first else { return (decide([]), []) }
        guard CommandRule.shells.contains(where: { $0.utf8.elementsEqual(name) }) else {
            guard bytes.count <= CommandVector.mostWords, let words = CommandVector.words(bytes) else {
                return (.deny(CommandDenial(.malformed, "there are too many words, or some that are no UTF-8")), [])
            }
            return (decide(words), words)
        }
        do throws(ShellCallRefusal) {
            let words = try ShellCall.read(Array(bytes.dropFirst()))
            return (decide(words), words)
        } catch {
            return (.deny(CommandDenial(.malformed, error.reason)), [])
        }
    }
}
