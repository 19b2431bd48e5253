internal import JailCore

/// The second wall around a helper, where the kernel has Landlock: it reads programs and libraries, and reaches the one tree
/// that it is for. Whatever a link, a name or an archive could talk it into, there is nothing else to reach.
enum HelperWalls {
    private static let programs = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"]

    // linux/landlock.h
    private static let execute: UInt64 = 1 << 0
    private static let readFile: UInt64 = 1 << 2
    private static let readDirectory: UInt64 = 1 << 3
    /// write_file, remove_dir to make_sym, but for the making of device nodes (6 and 11); refer (ABI 2), truncate (3).
    private static let change =
        (UInt64(1) << 1) | ((UInt64(1) << 13) - (1 << 4)) & ~(1 << 6) & ~(1 << 11) | (1 << 13) | (1 << 14)

    /// ABI 1 would keep a link from being made in another directory, and counts as none.
    private static func handled(_ abi: Int32) -> UInt64 {
        abi >= 3 ? (UInt64(1) << 15) - 1 : (UInt64(1) << 14) - 1
    }

    static func enter(_ access: Helper.Access, _ tree: Descriptor?) throws(SystemError) {
        let abi = System.landlockABI()
        guard abi >= 2 else { return }
        let handled = handled(abi)
        let ruleset = SharedDescriptor(try System.makeRuleset(fileSystem: handled, network: 0, scoped: 0))
        for path in programs {
            guard let place = try? SharedDescriptor(System.open(path, .pathOnly)) else { continue }
            try withExtendedLifetime((place, ruleset)) { () throws(SystemError) in
                let isDirectory = try System.status(of: place.borrowed).isDirectory
                try System.addRule(
                    ruleset.borrowed, beneath: place.borrowed,
                    access: execute | readFile | (isDirectory ? readDirectory : 0))
            }
        }
        if let tree, access != .streams {
            let rights = readFile | readDirectory | (access == .write ? change : 0)
            try withExtendedLifetime(ruleset) { () throws(SystemError) in
                try System.addRule(ruleset.borrowed, beneath: tree, access: rights & handled)
            }
        }
        try withExtendedLifetime(ruleset) { () throws(SystemError) in try System.restrictSelf(ruleset.borrowed) }
    }
}
