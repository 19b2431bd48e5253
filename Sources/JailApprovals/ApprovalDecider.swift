internal import JailCore

/// What somebody may do about jails and what they ask for.
package enum ApprovalRole: String, CaseIterable, Sendable {
    /// See the queue.
    case viewer
    /// See it; pause and stop jails.
    case `operator`
    /// See it, and decide.
    case approver
    /// Everything.
    case admin

    package enum Ability: Sendable { case see, handle, decide, administer }

    package func may(_ ability: Ability) -> Bool {
        switch (self, ability) {
        case (_, .see), (.admin, _), (.operator, .handle), (.approver, .decide): true
        case (_, .handle), (_, .decide), (_, .administer): false
        }
    }
}

/// Somebody who decides: known by the kernel, or by a token.
package struct ApprovalDecider: Hashable, Sendable {
    package enum Identity: Hashable, Sendable {
        /// Of the process that speaks, as the kernel says.
        case user(UInt32)
        /// A token's name, which is one at a time.
        case token(String)
    }

    package var identity: Identity
    package var role: ApprovalRole
    /// Whose jails these are; nil: everybody's. Root's own.
    package var tenant: UInt32?
    /// Of the process that speaks, where that says who it is, besides a token: somebody who shows two tokens is one person. nil: it
    /// is root's, or the user's whose jail it is, and may speak for others.
    package var person: UInt32?

    package init(_ identity: Identity, role: ApprovalRole, tenant: UInt32?) {
        self.identity = identity
        self.role = role
        self.tenant = tenant
    }

    /// Whether both are one and the same, as far as anybody can say.
    func isSame(as other: ApprovalDecider) -> Bool {
        identity == other.identity || person != nil && person == other.person
    }

    /// Whether a jail of that user's exists for them.
    package func maySee(jailOf owner: UInt32) -> Bool { tenant.map { $0 == owner } ?? true }

    package var text: String {
        switch identity {
        case .user(let uid): "uid \(uid)"
        // The word stands behind the name: what follows it would be taken for a secret, and out of the log.
        case .token(let name): "'\(name.printable)' by token"
        }
    }
}
