internal import JailCore
package import JailPlan

/// What there is to know about our own group of the unified hierarchy. A value of its own, so that every layout can be
/// tested without such a host.
package struct UnifiedGroup: Equatable, Sendable {
    /// Whether the service manager leaves the group alone: what lies below a unit without `Delegate=yes` is the manager's,
    /// whoever may write there.
    package enum Delegation: Sendable {
        /// No unit is above it: there is no service manager, or this is a container.
        case noUnit
        case delegated
        /// Its unit is not marked as delegated, and its manager, if it is a user's, does not say that it were.
        case unmarked
    }

    /// Where groups would be made.
    package var directory: String
    package var controllers: Set<String> = []
    package var isWritable = false
    package var delegation = Delegation.noUnit
    /// Processes other than clawjail's own are in it: then it cannot hand controllers on.
    package var isShared = false
    /// The manager that would give another one.
    package var manager: (kind: ScopeOffer.Manager, socket: String, controllers: Set<String>)?

    package init(directory: String) { self.directory = directory }

    package static func == (left: UnifiedGroup, right: UnifiedGroup) -> Bool {
        left.directory == right.directory && left.controllers == right.controllers
            && left.isWritable == right.isWritable && left.delegation == right.delegation
            && left.isShared == right.isShared && left.manager?.socket == right.manager?.socket
    }

    /// Where groups of jails can be made.
    ///
    /// - Parameters:
    ///   - wanted: controllers that the limits need.
    ///   - outlivesCaller: of a supervisor in the background: in its caller's unit it would end with that.
    package func facts(wanting wanted: Set<String>, outlivesCaller: Bool) -> CgroupFacts {
        let obstacle = obstacle(wanted)
        if let manager, outlivesCaller || obstacle != nil {
            return .scope(
                ScopeOffer(
                    manager: manager.kind, socket: manager.socket, controllers: manager.controllers,
                    reason: obstacle ?? "a jail in the background would end with its caller's unit"))
        }
        guard isWritable else {
            return .unavailable(
                reason: "this user may not make cgroups in '\(directory.printable)': start with "
                    + "'systemd-run --user --scope -p Delegate=yes clawjail …', or in a unit with Delegate=yes")
        }
        guard !isShared else {
            return .unavailable(
                reason: "other processes share our own cgroup '\(directory.printable)', which therefore cannot hand "
                    + "controllers on: start with 'systemd-run --user --scope -p Delegate=yes clawjail …', or in a "
                    + "unit of its own with Delegate=yes")
        }
        // Nobody is there to ask: what may be written to is ours, or the kernel says so.
        return .v2(directory: directory, controllers: controllers)
    }

    /// Why the group itself will not do, on one line; nil: it will.
    private func obstacle(_ wanted: Set<String>) -> String? {
        if !isWritable { return "our own cgroup '\(directory.printable)' is not this user's" }
        if delegation == .unmarked { return "our own cgroup '\(directory.printable)' is not delegated" }
        if isShared { return "other processes share our own cgroup '\(directory.printable)'" }
        let missing = wanted.subtracting(controllers).sorted()
        return missing.isEmpty
            ? nil : "our own cgroup '\(directory.printable)' does not have \(missing.joined(separator: ", "))"
    }

    /// The group where jails' groups belong, for a process in `path`: a supervisor has moved out of it, into a group beside
    /// them, and what that one starts is there as well.
    package static func home(_ path: String) -> String {
        let leaf = "/" + CgroupPlan.supervisors
        guard path.hasSuffix(leaf) else { return path }
        let above = String(decoding: path.utf8.dropLast(leaf.utf8.count), as: UTF8.self)
        return above.isEmpty ? "/" : above
    }

    /// The part of a path that names the unit that a process is in; nil: it is in none. Units of a user's manager lie below
    /// `user@UID.service`, itself a unit; the last one counts.
    package static func unit(of path: String) -> String? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"))
        let kinds = ["service", "scope", "slice", "socket", "mount", "swap"].map { Array(".\($0)".utf8) }
        guard
            let last = parts.lastIndex(where: { part in
                kinds.contains { part.count > $0.count && part.suffix($0.count).elementsEqual($0) }
            })
        else { return nil }
        return parts[...last].reduce(into: "") { $0 += "/" + String(decoding: $1, as: UTF8.self) }
    }
}
