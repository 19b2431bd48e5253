/// Absolute paths in the one spelling that stands for them: no `.` and `..`, no empty components, no control
/// characters.
package enum AbsolutePath {
    /// PATH_MAX without its NUL.
    package static let longest = 4095

    /// Refuses every other spelling. `/` itself passes.
    package static func check(_ text: String) throws(ValueError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw ValueError(expected: "an absolute path", found: text) }
        guard text.utf8.count <= longest else { throw ValueError("must be a path of at most \(longest) bytes") }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }) else {
            throw ValueError(expected: "a path without control characters", found: text)
        }
        guard text.utf8.count > 1 else { return }
        for component in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            let dots = component.allSatisfy { $0 == UInt8(ascii: ".") }
            if component.isEmpty {
                throw ValueError(expected: "a path without '//' and without '/' at its end", found: text)
            }
            if dots, component.count <= 2 {
                throw ValueError(expected: "a path without '.' and '..' components", found: text)
            }
            guard component.count <= 255 else { throw ValueError("must have components of at most 255 bytes") }
        }
    }

    /// The path of something on the host: `~` and `~/x` stand for the caller's home directory.
    package static func host(_ text: String, home: String?) throws(ValueError) -> String {
        var path = text
        if text.utf8.first == UInt8(ascii: "~") {
            guard text == "~" || text.utf8.starts(with: "~/".utf8) else {
                throw ValueError(expected: "an absolute path, or '~/' and the rest", found: text)
            }
            guard let home else { throw ValueError("begins with '~', and the caller has no home directory") }
            let rest = String(text.dropFirst())
            path = home == "/" && !rest.isEmpty ? rest : home + rest
        }
        try check(path)
        return path
    }

    /// A place inside the jail where something may be shown: not over what clawjail itself builds.
    package static func checkTarget(_ text: String) throws(ValueError) {
        try check(text)
        guard text != "/" else { throw ValueError("must be a place below '/', not '/' itself") }
        for reserved in ["/proc", "/dev", "/sys", "/etc"] where text.isInside(reserved) {
            throw ValueError("must not be in \(reserved), which the jail has of its own")
        }
    }

    /// A path of the host's that may be shown inside, as a profile or a command line writes it.
    static func source(_ text: String, home: String?) throws(ValueError) -> String {
        let path = try host(text, home: home)
        try checkSource(path)
        return path
    }

    /// Something of the host that may be shown inside.
    package static func checkSource(_ text: String) throws(ValueError) {
        guard text != "/" else {
            throw ValueError("must not be the whole host", hint: "name the directories that are needed")
        }
        for kernel in ["/proc", "/sys"] where text.isInside(kernel) {
            throw ValueError("must not be in \(kernel), which tells about and steers the host's kernel")
        }
    }
}

extension String {
    /// Whether the path is the directory, or below it. Both must be canonical.
    package func isInside(_ directory: String) -> Bool {
        guard utf8.starts(with: directory.utf8) else { return false }
        let rest = utf8.dropFirst(directory.utf8.count)
        return directory == "/" || rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
}

extension BindRule {
    /// `"/opt/x"` (the same path inside) or `"/opt/x:/inside"`; the source may begin with `~/`. A path with a colon
    /// needs the object form of a profile.
    package static func parse(_ text: String, home: String?) throws(ValueError) -> BindRule {
        let parts = text.parts(at: ":", most: 3)
        guard parts.count <= 2 else { throw ValueError(expected: "SOURCE or SOURCE:TARGET", found: text) }
        return try make(source: String(parts[0]), target: parts.count == 2 ? String(parts[1]) : nil, home: home)
    }

    static func make(source: String, target: String?, home: String?) throws(ValueError) -> BindRule {
        let source = try AbsolutePath.host(source, home: home)
        try AbsolutePath.checkSource(source)
        do throws(ValueError) {
            try AbsolutePath.checkTarget(target ?? source)
        } catch {
            throw ValueError(error.reason, hint: target == nil ? "show it elsewhere, as SOURCE:TARGET" : nil)
        }
        return BindRule(source: source, target: target ?? source)
    }

    /// For people: `/opt/x`, `/opt/x → /inside`.
    package var shown: String {
        (source == target ? source : "\(source) → \(target)") + (allowSpecialFiles ? " with special files" : "")
    }
}
