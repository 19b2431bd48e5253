package import JailCore
package import JailPlan

extension WithheldPlan {
    /// Makes what the jail's own command will enter, see ``System/Surroundings/ruleset``. It needs openat2(2), which the
    /// jail's filter refuses; entering it needs nothing but no_new_privs.
    package func makeRuleset() throws(SystemError) -> OwnedDescriptor {
        let ruleset = try System.makeRuleset(
            fileSystem: Self.handled, network: 0, scoped: scoped ? Self.signals : 0)
        for rule in rules {
            let path = try System.open(rule.path, .pathOnly, resolve: [.noSymlinks, .noMagicLinks])
            try System.addRule(
                ruleset.borrowed, beneath: path.borrowed, access: FileRights.of(rule.access) & Self.handled)
        }
        return ruleset
    }

    /// LANDLOCK_SCOPE_SIGNAL of linux/landlock.h
    private static let signals: UInt64 = 1 << 1
}
