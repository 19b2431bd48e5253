internal import JailCore

/// How a profile and its parent become one: objects key by key, lists by adding, everything else by the child's word.
///
/// Values keep the place that they come from, so that a later error names the right file.
enum ProfileMerge {
    /// - Parameters: whole profiles.
    static func merge(profile parent: JSON5Value, child: JSON5Value) throws(JailError) -> JSON5Value {
        try merge(parent: withoutCommand(withoutProbe(parent, beside: child), beside: child), child: child)
    }

    /// Alerts start one command: the one that a child names stands in the place of its parent's.
    private static func withoutCommand(_ parent: JSON5Value, beside child: JSON5Value) -> JSON5Value {
        guard child["alerts"]?["command"] != nil, case .object(let keys) = parent.content else { return parent }
        let kept = keys.map { member in
            guard member.key == "alerts", case .object(let inherited) = member.value.content else { return member }
            return JSON5Member(
                key: member.key, keyPosition: member.keyPosition,
                value: JSON5Value(.object(inherited.filter { $0.key != "command" }), at: member.value.position))
        }
        return JSON5Value(.object(kept), at: parent.position)
    }

    /// A jail is asked in one way: the probe that a child names stands in the place of its parent's.
    private static func withoutProbe(_ parent: JSON5Value, beside child: JSON5Value) -> JSON5Value {
        guard case .object(let keys) = parent.content, case .object(let own)? = child["health"]?.content,
            let named = own.map(\.key).first(where: probes.contains)
        else { return parent }
        let kept = keys.map { member in
            guard member.key == "health", case .object(let inherited) = member.value.content else { return member }
            // A command is no list that one adds to.
            let rest = inherited.filter { !probes.contains($0.key) || ($0.key == named && named != "exec") }
            return JSON5Member(
                key: member.key, keyPosition: member.keyPosition,
                value: JSON5Value(.object(rest), at: member.value.position))
        }
        return JSON5Value(.object(kept), at: parent.position)
    }

    private static let probes = ["http", "tcp", "exec"]

    private static func merge(parent: JSON5Value, child: JSON5Value) throws(JailError) -> JSON5Value {
        switch (parent.content, child.content) {
        case (.object(let inherited), .object(let own)):
            JSON5Value(.object(try mergeObjects(inherited, own, at: child.position)), at: child.position)
        case (.array(let inherited), .array(let own)):
            JSON5Value(.array(try mergeArrays(inherited, own, at: child.position)), at: child.position)
        default: child
        }
    }

    private static func mergeObjects(
        _ inherited: [JSON5Member], _ own: [JSON5Member], at position: SourcePosition
    ) throws(JailError) -> [JSON5Member] {
        // Below, every key is compared with every other one.
        try checkCount(inherited.count + own.count, at: position)
        var result = inherited
        for member in own {
            guard let index = result.firstIndex(where: { $0.key == member.key }) else {
                result.append(member)
                continue
            }
            result[index] = JSON5Member(
                key: member.key, keyPosition: member.keyPosition,
                value: try merge(parent: result[index].value, child: member.value))
        }
        return result
    }

    /// What the parent lists stays; a child can only add.
    private static func mergeArrays(
        _ inherited: [JSON5Value], _ own: [JSON5Value], at position: SourcePosition
    ) throws(JailError) -> [JSON5Value] {
        try checkCount(inherited.count + own.count, at: position)
        return inherited + own.filter { element in !inherited.contains { $0.says(sameAs: element) } }
    }

    private static func checkCount(_ count: Int, at position: SourcePosition) throws(JailError) {
        guard count <= Field.countLimit else {
            throw JailError(
                .profile, operation: position.description.printable,
                reason: "\(count) elements with those of the parent, more than \(Field.countLimit)")
        }
    }

    /// A key set to null looks like a way to take away what a parent gives. There is none, in any file of the chain.
    static func refuseNulls(in value: JSON5Value) throws(JailError) {
        switch value.content {
        case .object(let members):
            for member in members {
                if case .null = member.value.content {
                    throw JailError(
                        .profile, operation: member.value.position.description.printable,
                        reason: "'\(member.key.excerpt)' must not be null",
                        hint: "a profile cannot take away what its parent gives; leave the key out")
                }
                try refuseNulls(in: member.value)
            }
        case .array(let elements): for element in elements { try refuseNulls(in: element) }
        default: return
        }
    }
}
