package import JailCore
package import JailPolicy

/// What comes of something that a program in a jail tries.
package struct Decision: Equatable, Sendable {
    package var isAllowed: Bool
    /// Why, as the end of a sentence: `it lies in a directory that is shown read-only`.
    package var reason: String
    /// What the kernel says where it is denied, as far as that is certain.
    package var errno: Errno?
    /// The value of the profile that it comes from; nil: it is so in every jail.
    package var source: ProfileSource?
    /// The smallest that would allow it; nil: nothing is needed, or no rule can.
    package var change: ProfileChange?
    /// Why no rule can allow it. Of something that is denied either this is there or ``change``.
    package var obstacle: String?
    /// What else a person should know: what the change brings with it, what is not known before it is tried.
    package var notes: [String] = []

    package static func allowed(_ reason: String, by source: ProfileSource? = nil) -> Decision {
        Decision(isAllowed: true, reason: reason, source: source)
    }

    package static func denied(
        _ reason: String, _ errno: Errno? = nil, by source: ProfileSource? = nil, change: ProfileChange
    ) -> Decision {
        Decision(isAllowed: false, reason: reason, errno: errno, source: source, change: change)
    }

    package static func denied(
        _ reason: String, _ errno: Errno? = nil, by source: ProfileSource? = nil, obstacle: String
    ) -> Decision {
        Decision(isAllowed: false, reason: reason, errno: errno, source: source, obstacle: obstacle)
    }

    package func noting(_ note: String?) -> Decision {
        guard let note else { return self }
        var copy = self
        copy.notes.append(note)
        return copy
    }
}
