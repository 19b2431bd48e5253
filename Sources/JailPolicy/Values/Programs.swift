extension ProgramRule {
    /// `"node"` (found on PATH), `"openclaw?"` (may be missing), `"/opt/x/bin/tool"`, or `"/usr/bin/"` with all in it.
    package static func parse(_ text: String) throws(ValueError) -> ProgramRule {
        let mayBeMissing = text.utf8.last == UInt8(ascii: "?")
        let name = mayBeMissing ? String(text.dropping(last: 1)) : text
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard name.utf8.first == UInt8(ascii: "/") else {
                throw ValueError(expected: "a program's name or its absolute path", found: text)
            }
            let isDirectory = name.utf8.last == UInt8(ascii: "/")
            let path = isDirectory ? String(name.dropping(last: 1)) : name
            guard path != "/", !path.isEmpty else {
                throw ValueError("must not be the whole host", hint: "name a directory")
            }
            try AbsolutePath.check(path)
            for kernel in ["/proc", "/sys", "/dev"] where path.isInside(kernel) {
                throw ValueError("must not be in \(kernel), where no programs are")
            }
        } else {
            try checkBareName(name, text)
        }
        return ProgramRule(name: name, mayBeMissing: mayBeMissing)
    }

    private static func checkBareName(_ name: String, _ text: String) throws(ValueError) {
        let isAllowed: (UInt8) -> Bool = {
            Name.isWord($0) || [UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-")].contains($0)
        }
        // A name that begins with a point or a dash is an option or a path component by mistake.
        guard (1...255).contains(name.utf8.count), name.utf8.allSatisfy(isAllowed),
            let first = name.utf8.first, Name.isWord(first)
        else { throw ValueError(expected: "a program's name such as \"node\", or its absolute path", found: text) }
    }

    /// As ``parse(_:)`` takes it.
    package var formatted: String { mayBeMissing ? name + "?" : name }
}
