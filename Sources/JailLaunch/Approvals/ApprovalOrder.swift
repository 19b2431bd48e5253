package import JailApprovals
internal import JailCore

/// What somebody outside wants of a jail's queue of approvals.
package struct ApprovalOrder: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case list
        /// nil: once, or what the first of two has said.
        case approve(UInt64, ApprovalTerms?)
        case deny(UInt64)
        case revoke(grant: UInt64)
        // Of the jail itself, for those who may not reach its own socket.
        case pause, resume, stop

        var ability: ApprovalRole.Ability {
            switch self {
            case .list: .see
            case .approve, .deny, .revoke: .decide
            case .pause, .resume, .stop: .handle
            }
        }
    }

    package let action: Action
    package let reason: String?
    /// Who holds it decides as its name says; nil: as the user whom the kernel sees.
    package let token: String?

    /// Bytes of a reason, and of a path.
    package static let longestText = 1024

    /// - Returns: nil unless the texts are of one line each.
    package init?(_ action: Action, reason: String? = nil, token: String? = nil) {
        var texts = [reason, token].compactMap { $0 }
        if case .approve(_, let terms?) = action, let below = terms.below { texts.append(below) }
        guard
            texts.allSatisfy({
                !$0.isEmpty && $0.utf8.count <= Self.longestText && !$0.utf8.contains(where: Self.isControl)
            })
        else { return nil }
        self.action = action
        self.reason = reason
        self.token = token
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    init?(bytes: [UInt8]) {
        guard var fields = SessionFields(bytes) else { return nil }
        let reason = fields.take("reason")
        let token = fields.take("token")
        let id = fields.take("id").flatMap { UInt64($0) }
        let action: Action
        switch (fields.word, id) {
        case ("list", nil): action = .list
        case ("approve", let id?):
            var terms = ApprovalTerms()
            if let uses = fields.take("uses") {
                guard let uses = UInt64(uses) else { return nil }
                terms.uses = uses
            }
            if let time = fields.take("time") {
                guard let time = UInt64(time) else { return nil }
                terms.time = time
            }
            terms.below = fields.take("below")
            let isUsual = fields.take("terms") == "usual"
            guard !isUsual || terms == ApprovalTerms() else { return nil }
            action = .approve(id, isUsual ? nil : terms)
        case ("deny", let id?): action = .deny(id)
        case ("revoke", let id?): action = .revoke(grant: id)
        case ("pause", nil): action = .pause
        case ("resume", nil): action = .resume
        case ("stop", nil): action = .stop
        default: return nil
        }
        guard fields.isEmpty else { return nil }
        self.init(action, reason: reason, token: token)
    }

    var bytes: [UInt8] {
        var fields: SessionFields
        switch action {
        case .list: fields = SessionFields("list")
        case .approve(let id, let terms):
            fields = SessionFields("approve")
            fields.add("id", "\(id)")
            fields.add("terms", terms == nil ? "usual" : nil)
            fields.add("uses", terms?.uses.map { "\($0)" })
            fields.add("time", terms?.time.map { "\($0)" })
            fields.add("below", terms?.below)
        case .deny(let id):
            fields = SessionFields("deny")
            fields.add("id", "\(id)")
        case .revoke(let id):
            fields = SessionFields("revoke")
            fields.add("id", "\(id)")
        case .pause: fields = SessionFields("pause")
        case .resume: fields = SessionFields("resume")
        case .stop: fields = SessionFields("stop")
        }
        fields.add("reason", reason)
        fields.add("token", token)
        return fields.bytes ?? []
    }
}
