package import JailCore
internal import JailPolicy

/// One jail's queue of approvals, as its supervisor tells it.
package struct ApprovalsView: Equatable, Sendable {
    package struct Waiting: Equatable, Sendable {
        package var id: UInt64
        package var kind: String
        /// Printable, one line.
        package var subject: String
        package var why: String
        package var meaning: String
        /// Milliseconds since the epoch.
        package var asked: Int64
        /// Milliseconds until nobody waits any more.
        package var left: Int64
        package var waiting: Int64
        package var count: Int64
        package var fourEyes: Bool
        package var endorsedBy: String?
        package var endorsed: String?
        /// What was decided about the same before, oldest first.
        package var before: [String]
    }

    package struct Grant: Equatable, Sendable {
        package var id: UInt64
        package var subject: String
        package var terms: String
        package var by: [String]
        package var reason: String?
        package var used: Int64
        package var usesLeft: Int64?
        /// Milliseconds; nil: until the jail ends.
        package var left: Int64?
    }

    package var jail: String
    package var waiting: [Waiting]
    package var grants: [Grant]
    /// As it was told.
    package var json: JSON

    /// nil: no supervisor says such a thing.
    ///
    /// - Parameter jail: nil: as its supervisor calls it.
    package init?(jail: String? = nil, answer: [UInt8]) {
        guard let value = try? JSON5Reader.read(answer, file: ""), let entries = value["entries"]?.elements,
            let grants = value["grants"]?.elements, let jail = jail ?? value["jail"]?.text?.printable
        else { return nil }
        self.jail = jail
        json = value.json
        waiting = entries.compactMap(Waiting.init)
        self.grants = grants.compactMap(Grant.init)
        guard waiting.count == entries.count, self.grants.count == grants.count else { return nil }
    }

    package static func == (left: ApprovalsView, right: ApprovalsView) -> Bool {
        left.jail == right.jail && left.waiting == right.waiting && left.grants == right.grants
    }
}

extension ApprovalsView.Waiting {
    fileprivate init?(_ value: JSON5Value) {
        guard let id = value["id"]?.integer.flatMap({ UInt64(exactly: $0) }), let subject = value["subject"]?.text
        else {
            return nil
        }
        self.init(
            id: id, kind: value["kind"]?.text?.printable ?? "?", subject: subject.printable,
            why: value["why"]?.text?.printable ?? "", meaning: value["meaning"]?.text?.printable ?? "",
            asked: value["asked"]?.integer ?? 0, left: value["left"]?.integer ?? 0,
            waiting: value["waiting"]?.integer ?? 0, count: value["count"]?.integer ?? 0,
            fourEyes: value["fourEyes"]?.boolean ?? false, endorsedBy: value["endorsedBy"]?.text?.printable,
            endorsed: value["endorsed"]?.text?.printable,
            before: (value["before"]?.elements ?? []).map(Self.decision))
    }

    private static func decision(_ value: JSON5Value) -> String {
        let who = (value["by"]?.elements ?? []).compactMap(\.text).joined(separator: " and ").printable
        return "\(value["approved"]?.boolean == true ? "approved" : "denied") by \(who)"
    }
}

extension ApprovalsView.Grant {
    fileprivate init?(_ value: JSON5Value) {
        guard let id = value["id"]?.integer.flatMap({ UInt64(exactly: $0) }), let subject = value["subject"]?.text
        else {
            return nil
        }
        self.init(
            id: id, subject: subject.printable, terms: value["terms"]?.text?.printable ?? "?",
            by: (value["by"]?.elements ?? []).compactMap { $0.text?.printable },
            reason: value["reason"]?.text?.printable,
            used: value["used"]?.integer ?? 0, usesLeft: value["usesLeft"]?.integer, left: value["left"]?.integer)
    }
}

extension JSON5Value {
    fileprivate var boolean: Bool? { if case .boolean(let value) = content { value } else { nil } }
}
