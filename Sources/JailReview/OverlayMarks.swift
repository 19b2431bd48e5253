internal import JailCore

/// What an overlay notes on files of its upper directory, as attributes of the user's, since it was mounted with `userxattr`.
struct OverlayMarks {
    private static let prefix = "user.overlay."
    static let opaque = prefix + "opaque"

    /// What the kernel sets on its own here; it means nothing to anybody but the kernel.
    private static let harmless: Set<String> = [
        "origin", "impure", "uuid", "nlink", "upper", "protattr",
    ].reduce(into: []) { $0.insert(prefix + $1) }

    /// Whether the directory hides the one below it.
    private(set) var isOpaque = false
    /// Why what carries such marks is not applied; nil: the kernel may have made it.
    private(set) var refusal: String?

    /// Attributes that the payload sets through the overlay are kept under another prefix, or not at all: one of these that
    /// says something else is not from there.
    init(of file: Descriptor) throws(SystemError) {
        for name in try System.attributeNames(of: file) where name.hasPrefix(Self.prefix) {
            // What a payload calls so has the prefix twice.
            if Self.harmless.contains(name) || name.hasPrefix(Self.prefix + "overlay.") { continue }
            if name == Self.opaque, try System.attribute(name, of: file) == Array("y".utf8) {
                isOpaque = true
                continue
            }
            refusal = "it carries '\(name.printable)', which was not made here"
        }
    }
}

/// Where a link leads, as far as can be said of its text.
enum LinkTarget {
    /// Whether it leaves the workspace by itself. What other links on its way do is not known.
    static func leadsOut(_ target: [UInt8], from path: FilePath) -> Bool {
        guard let first = target.first, first != 0x2F else { return true }
        var depth = path.names.count - 1
        for part in target.split(separator: 0x2F) {
            if part.elementsEqual([0x2E]) { continue }
            depth += part.elementsEqual([0x2E, 0x2E]) ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}
