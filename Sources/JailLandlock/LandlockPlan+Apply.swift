package import JailCore
package import JailPlan

extension LandlockPlan {
    /// Enters the domain, once, for init and for every command after it. After the mounts, which a domain forbids;
    /// before no_new_privs is needed by it (CAP_SYS_ADMIN would do, but is gone by then), see landlock(7).
    ///
    /// Every right that the ABI knows is handled, so that what no rule grants is denied. Paths are opened in the new
    /// root without following symlinks.
    package func apply() throws(SystemError) {
        let handled = Rights.all(abi)
        let network: UInt64 = bindPorts == nil ? 0 : Rights.bindTCP
        let ruleset = try System.makeRuleset(fileSystem: handled, network: network, scoped: scoped ? 0x3 : 0)
        for rule in rules {
            let path = try System.open(rule.path, .pathOnly, resolve: [.noSymlinks, .noMagicLinks])
            let isDirectory = try System.status(of: path.borrowed).isDirectory
            let access = Rights.of(rule.access) & handled & (isDirectory ? .max : Rights.onFiles)
            try System.addRule(ruleset.borrowed, beneath: path.borrowed, access: access)
        }
        for port in bindPorts ?? [] {
            try System.addRule(ruleset.borrowed, port: port, access: Rights.bindTCP)
        }
        try System.restrictSelf(ruleset.borrowed)
    }

    /// linux/landlock.h
    private enum Rights {
        static let execute: UInt64 = 1 << 0
        static let writeFile: UInt64 = 1 << 1
        static let readFile: UInt64 = 1 << 2
        static let readDirectory: UInt64 = 1 << 3
        /// ABI 2: rename and link from one directory to another.
        static let refer: UInt64 = 1 << 13
        /// ABI 3
        static let truncate: UInt64 = 1 << 14
        /// ABI 5
        static let deviceControl: UInt64 = 1 << 15

        static let bindTCP: UInt64 = 1 << 0

        static let onFiles = execute | writeFile | readFile | truncate | deviceControl
        static let read = readFile | readDirectory
        /// Everything from remove_dir (4) to make_sym (12) but the making of device nodes (6 and 11).
        static let change = writeFile | truncate | refer | ((UInt64(1) << 13) - (1 << 4)) & ~(1 << 6) & ~(1 << 11)

        static func all(_ abi: Int32) -> UInt64 {
            var rights = refer | (refer - 1)
            if abi >= 3 { rights |= truncate }
            if abi >= 5 { rights |= deviceControl }
            return rights
        }

        static func of(_ access: Rule.Access) -> UInt64 {
            switch access {
            case .read: read
            case .execute: read | execute
            case .write: read | change
            case .all: read | change | execute
            case .device: read | writeFile | deviceControl
            }
        }
    }
}
