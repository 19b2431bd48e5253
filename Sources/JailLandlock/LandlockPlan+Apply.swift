package import JailCore
package import JailPlan

extension LandlockPlan {
    /// Enters the domain, once, for init and for every command after it. After the mounts, which a domain forbids;
    /// before no_new_privs is needed by it (CAP_SYS_ADMIN would do, but is gone by then), see landlock(7).
    ///
    /// Every right that the ABI knows is handled, so that what no rule grants is denied. Paths are opened in the new
    /// root without following symlinks.
    package func apply() throws(SystemError) {
        let handled = FileRights.all(abi)
        let network: UInt64 = bindPorts == nil ? 0 : Self.bindTCP
        let ruleset = try System.makeRuleset(fileSystem: handled, network: network, scoped: scoped ? 0x3 : 0)
        for rule in rules {
            let path = try System.open(rule.path, .pathOnly, resolve: [.noSymlinks, .noMagicLinks])
            let isDirectory = try System.status(of: path.borrowed).isDirectory
            let access = FileRights.of(rule.access) & handled & (isDirectory ? .max : FileRights.onFiles)
            try System.addRule(ruleset.borrowed, beneath: path.borrowed, access: access)
        }
        for port in bindPorts ?? [] {
            try System.addRule(ruleset.borrowed, port: port, access: Self.bindTCP)
        }
        try System.restrictSelf(ruleset.borrowed)
    }

    /// linux/landlock.h
    private static let bindTCP: UInt64 = 1 << 0
}
