internal import JailCore

/// Which command a stub stands for: the file that it was started from is shown under the command's name.
package enum StubName {
    /// Why a stub does nothing.
    package struct Refusal: Error, Equatable {
        package let reason: String
    }

    /// - Parameters:
    ///   - executable: what `/proc/self/exe` leads to: where it is mounted, whatever else leads there.
    ///   - word: the first of its arguments.
    /// - Throws: it is called by a name that is not its own: what is asked for would be another command than whoever calls has
    ///   in mind.
    package static func read(executable: String, word: [UInt8]) throws(Refusal) -> String {
        let name = lastComponent(Array(executable.utf8))
        guard executable.utf8.first == UInt8(ascii: "/"), !name.isEmpty else {
            throw Refusal(reason: "this program does not know what it stands for ('\(executable.printable)')")
        }
        let called = lastComponent(word)
        guard called == name else {
            throw Refusal(
                reason: "called as '\(String(decoding: called.prefix(64), as: UTF8.self).printable)', and this is "
                    + "'\(String(decoding: name, as: UTF8.self).printable)'")
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func lastComponent(_ path: [UInt8]) -> [UInt8] {
        Array(path.suffix(while: { $0 != UInt8(ascii: "/") }))
    }
}

extension [UInt8] {
    fileprivate func suffix(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        var start = endIndex
        while start > startIndex, condition(self[start - 1]) { start -= 1 }
        return self[start...]
    }
}
