extension NetworkPolicy {
    /// What a reader of the rules should know although it is no mistake, one line each: rules that are wider than they look,
    /// and rules of which a deny takes a part away.
    package var notes: [String] {
        wideNotes + overlapNotes + privateNotes
    }

    private var wideNotes: [String] {
        rules.allow.enumerated().flatMap { index, rule in
            rule.hosts.compactMap { host in
                guard case .below(let name) = host, PublicSuffix.contains(name) else { return nil }
                return
                    "network.allow[\(index)]: \(host.text) is every registered name below the public suffix \(name.text)"
            }
        }
    }

    private var overlapNotes: [String] {
        deny.compactMap { deny in
            var labels: [String] = []
            for rule in allow where deny.overlaps(rule) && !labels.contains(rule.label) { labels.append(rule.label) }
            guard !labels.isEmpty else { return nil }
            let shown = labels.prefix(3).joined(separator: ", ")
            let more = labels.count > 3 ? " and \(labels.count - 3) more" : ""
            return "\(deny.label) takes a part away from \(shown)\(more)"
        }
    }

    /// What nobody names on purpose by way of a wide range.
    private var privateNotes: [String] {
        let delicate = SpecialAddress.table.filter { [.metadata, .loopback, .unspecified].contains($0.kind) }
        return rules.allowPrivate.compactMap { range in
            guard let entry = delicate.first(where: { range.contains($0.range) }) else { return nil }
            return "network.allowPrivate: \(range) lets rules reach \(entry.kind.shown) (\(entry.range.base))"
        }
    }
}
