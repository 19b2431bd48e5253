import JailCore
import JailData
import JailReview

/// Changes, for people and programs.
struct ChangesListing {
    private let found: ReviewTarget.Found
    private let conflicts: [FilePath: String]

    init(_ found: ReviewTarget.Found) {
        self.found = found
        conflicts = Dictionary(found.conflicts.map { ($0.path, $0.reason) }) { first, _ in first }
    }

    func row(_ change: Change) -> [String] {
        let isDirectory = (change.after ?? change.before)?.kind == .directory
        let size =
            switch (change.before, change.after) {
            case (let before?, let after?) where before.size != after.size: "\(before.size) → \(after.size)"
            case (_, let after?): isDirectory ? "-" : "\(after.size)"
            case (let before?, nil): isDirectory ? "-" : "\(before.size)"
            case (nil, nil): "-"
            }
        return [change.kind.letter, size, change.path.shown + (isDirectory ? "/" : ""), remarks(change)]
    }

    private func remarks(_ change: Change) -> String {
        var remarks: [String] = []
        if let before = change.before, let after = change.after, before.permissions != after.permissions,
            after.kind != .link
        {
            remarks.append("mode \(String(before.permissions, radix: 8)) → \(String(after.permissions, radix: 8))")
        }
        if change.after?.kind == .link { remarks.append(change.leadsOut ? "link, leads elsewhere" : "link") }
        if let reason = change.runsOnHost { remarks.append("RUNS ON THE HOST: \(reason)") }
        if let reason = change.refusal { remarks.append("REFUSED: \(reason)") }
        if let reason = conflicts[change.path] { remarks.append("CONFLICT: \(reason)") }
        return remarks.joined(separator: "; ")
    }

    func json(_ change: Change) -> JSON {
        guard case .object(var members) = change.json else { return change.json }
        members.append(("conflict", .optional(conflicts[change.path])))
        return .object(members)
    }

    // MARK: Content

    func difference(_ change: Change) throws(JailError) -> String {
        let name = change.path.shown
        guard change.before?.kind != .directory, change.after?.kind != .directory, change.refusal == nil else {
            return ""
        }
        guard let before = try ReviewContent.read(change.path, change.before, in: found.lower.borrowed),
            let after = try ReviewContent.read(change.path, change.after, in: found.upper.borrowed)
        else { return "\(name): too large to be shown\n" }
        guard !before.contains(0), !after.contains(0) else { return "\(name): binary, and different\n" }
        return try TextDifference.unified(before, after, name: name)
    }
}
