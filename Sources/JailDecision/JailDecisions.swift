internal import JailCore
package import JailPlan
package import JailPolicy

/// Every question that can be asked of one plan, answered from what is enforced: the same steps, the same rules of
/// Landlock, the same tables of system calls.
package struct JailDecisions {
    package let plan: LaunchPlan
    package let profile: Profile
    let host: any HostView
    let tree: InsideTree
    let walker: Walker
    /// Of the plan's rules, what each one's path is, so that a file which is shown at two places is known at both.
    let ruleFiles: [HostFile?]

    /// - Parameter profile: the one that the plan was made of, to say where a grant comes from.
    package init(_ plan: LaunchPlan, of profile: Profile, host: any HostView) {
        self.plan = plan
        self.profile = profile
        self.host = host
        tree = InsideTree(plan)
        walker = Walker(tree: tree, plan: plan, host: host)
        let tree = tree
        ruleFiles = plan.access.map { Self.file(behind: $0.path, tree, host) }
    }

    static func file(behind path: String, _ tree: InsideTree, _ host: any HostView) -> HostFile? {
        guard let hostPath = tree.hostPath(path), case .file(let file) = host.look(hostPath) else { return nil }
        return file
    }

    /// The rights that Landlock's rules leave at a canonical path: those of every rule on it or above it. nil: there is no
    /// Landlock in this plan.
    func rights(at path: String) -> UInt64? {
        guard let landlock = plan.landlock else { return nil }
        var rights: UInt64 = 0
        var current = path
        while true {
            let file = Self.file(behind: current, tree, host)
            for (rule, ruleFile) in zip(plan.access, ruleFiles) {
                let isSame = rule.path == current || (file != nil && file?.identity == ruleFile?.identity)
                if isSame { rights |= FileRights.of(rule.access) }
            }
            if current == "/" { break }
            current = current.parentPath
        }
        return rights & FileRights.all(landlock.abi)
    }
}
