/// Rights of Landlock over files, see landlock(7), and what each kind of rule grants of them. Who enforces and who explains
/// read the same.
package enum FileRights {
    // linux/landlock.h
    package static let execute: UInt64 = 1 << 0
    package static let writeFile: UInt64 = 1 << 1
    package static let readFile: UInt64 = 1 << 2
    package static let readDirectory: UInt64 = 1 << 3
    package static let makeRegular: UInt64 = 1 << 8
    /// ABI 2: rename and link from one directory to another.
    package static let refer: UInt64 = 1 << 13
    /// ABI 3
    package static let truncate: UInt64 = 1 << 14
    /// ABI 5
    package static let deviceControl: UInt64 = 1 << 15

    /// Those that mean something for what is no directory.
    package static let onFiles = execute | writeFile | readFile | truncate | deviceControl
    private static let read = readFile | readDirectory
    /// Everything from remove_dir (4) to make_sym (12) but the making of device nodes (6 and 11).
    private static let change = writeFile | truncate | refer | ((UInt64(1) << 13) - (1 << 4)) & ~(1 << 6) & ~(1 << 11)

    /// Every one that the ABI knows.
    package static func all(_ abi: Int32) -> UInt64 {
        var rights = refer | (refer - 1)
        if abi >= 3 { rights |= truncate }
        if abi >= 5 { rights |= deviceControl }
        return rights
    }

    package static func of(_ access: LandlockPlan.Rule.Access) -> UInt64 {
        switch access {
        case .read: read
        case .execute: read | execute
        case .write: read | change
        case .all: read | change | execute
        case .device: read | writeFile | deviceControl
        }
    }
}
