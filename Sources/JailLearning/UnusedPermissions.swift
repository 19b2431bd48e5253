package import JailCore
package import JailPolicy

/// Permissions that nobody has used for some time, to be taken away again. What nobody watched is named as such: silence
/// is no proof.
package struct UnusedPermissions: Equatable, Sendable {
    /// As it stands in a profile.
    package private(set) var unused: [ProfileChange] = []
    /// Keys, each with the reason why nothing is said of them.
    package private(set) var unwatched: [(key: String, reason: String)] = []

    package static func == (one: Self, other: Self) -> Bool {
        one.unused == other.unused && one.unwatched.map(\.key) == other.unwatched.map(\.key)
            && one.unwatched.map(\.reason) == other.unwatched.map(\.reason)
    }

    /// What is known of the time that is asked about.
    package struct Watched: Sendable {
        /// How often a rule decided, by its label, such as `network.allow[3]`; nil: the log says nothing of the whole time.
        package var rules: [String: Int]?
        /// Why it says nothing.
        package var rulesReason = ""
        /// What runs under `learn` have used; nil: they say nothing of that time.
        package var used: [Observation]?
        /// Why they say nothing.
        package var usedReason: String? = "nothing was run under 'clawjail learn' in that time"

        package init() {}
    }

    package static func find(in profile: Profile, _ watched: Watched) -> UnusedPermissions {
        var result = UnusedPermissions()
        result.addRules(profile, watched)
        result.add("process.programs", profile.process.programs.map { Text($0.formatted, $0) }, watched) { rule, one in
            switch one {
            case .program(let name), .file(let name, .execute): rule.isUsed(by: name)
            default: nil
            }
        }
        result.add("process.systemCalls", profile.process.systemCalls.map { Text($0, $0) }, watched) { call, one in
            if case .systemCall(let name) = one { name == call } else { nil }
        }
        result.add("network.listen", (profile.network.listen ?? []).map { Text(number: $0) }, watched) { port, one in
            if case .bind(let used) = one { used == port } else { nil }
        }
        result.add("filesystem.read", profile.filesystem.read.map(\.text), watched, Self.isInside)
        result.add("filesystem.write", profile.filesystem.write.map(\.text), watched, Self.isInside)
        for key in ["filesystem.tmp", "filesystem.home", "limits"] {
            result.unwatched.append((key, "how much of it is used is not recorded"))
        }
        return result
    }

    private static func isInside(_ bind: BindRule, _ used: Observation.Subject) -> Bool? {
        if case .file(let path, _) = used { path.isInside(bind.target) } else { nil }
    }

    private mutating func addRules(_ profile: Profile, _ watched: Watched) {
        guard !profile.network.allow.isEmpty else { return }
        guard let rules = watched.rules else {
            unwatched.append(("network.allow", watched.rulesReason))
            return
        }
        for (index, rule) in profile.network.allow.enumerated() {
            // A preset is named after its label.
            let label = "network.allow[\(index)]"
            let isUsed = rules.contains { ($0.key == label || $0.key.hasPrefix(label + " ")) && $0.value > 0 }
            if !isUsed { unused.append(ProfileChange(key: "network.allow", value: rule.shortText, isElement: true)) }
        }
    }

    /// - Parameter match: nil: the observation is of another kind.
    private mutating func add<Element>(
        _ key: String, _ elements: [Text<Element>], _ watched: Watched,
        _ match: (Element, Observation.Subject) -> Bool?
    ) {
        guard !elements.isEmpty else { return }
        guard let used = watched.used else {
            unwatched.append((key, watched.usedReason ?? ""))
            return
        }
        let subjects = used.filter { $0.outcome == .used }.map(\.subject)
        guard subjects.contains(where: { match(elements[0].element, $0) != nil }) else {
            unwatched.append((key, "'clawjail learn' has recorded nothing of the kind as used"))
            return
        }
        for text in elements where !subjects.contains(where: { match(text.element, $0) == true }) {
            unused.append(ProfileChange(key: key, value: text.json5, isElement: true))
        }
    }
}

/// An element of a list, with its JSON5.
struct Text<Element> {
    let json5: String
    let element: Element
}

extension UnusedPermissions {
    package var json: JSON {
        [
            "unused": .array(
                unused.map { ["key": .string($0.key), "value": .string($0.value), "json5": .string($0.text)] }),
            "notWatched": .array(unwatched.map { ["key": .string($0.key), "reason": .string($0.reason)] }),
        ]
    }
}

extension Text {
    init(_ text: String, _ element: Element) { self.init(json5: JSON.string(text).json5, element: element) }
}

extension Text where Element == UInt16 {
    init(number: UInt16) { self.init(json5: String(number), element: number) }
}

extension BindRule {
    fileprivate var text: Text<BindRule> {
        let short = source == target ? source : "\(source):\(target)"
        let isShort = !allowSpecialFiles && !source.contains(":") && !target.contains(":")
        let members: [(String, JSON)] =
            [("source", .string(source)), ("target", .string(target))]
            + (allowSpecialFiles ? [("specialFiles", true)] : [])
        return Text(json5: (isShort ? JSON.string(short) : .object(members)).json5, element: self)
    }
}

extension ProgramRule {
    /// A program is seen by its path, and listed by its name or with its directory.
    fileprivate func isUsed(by path: String) -> Bool {
        if path == name { return true }
        guard path.hasPrefix("/") else { return name.hasPrefix("/") && name.hasSuffix("/" + path) }
        return isDirectory ? path.parentPath + "/" == name : !name.hasPrefix("/") && path.hasSuffix("/" + name)
    }
}
