package import JailPolicy

/// Where a jail's log is kept, and how.
package struct AuditPlan: Equatable, Sendable {
    /// The jail's own. Made if it is not there.
    package var directory: String
    package var rules: AuditRules
    /// A file of all jails' heads that can only be added to; nil: started without the right to make one.
    package var headFile: String?
    /// Programs of the host's that get each head.
    package var anchors: [HostCommandPlan] = []

    package init(directory: String, rules: AuditRules = AuditRules(), headFile: String? = nil) {
        self.directory = directory
        self.rules = rules
        self.headFile = headFile
    }
}
