package import JailCore

/// What may be shown of a secret.
package struct SecretListing: Sendable {
    package let name: String
    /// Seconds since the epoch.
    package let created: Int64
    package let rotated: Int64?
    /// Until when the value before counts as well; nil: none does.
    package let graceEnd: Int64?
    package let length: LengthClass?

    package init(_ secret: OpenedSecret, now: Int64) {
        name = secret.header.name
        created = secret.header.created
        rotated = secret.header.rotated
        graceEnd = secret.previous(at: now) == nil ? nil : secret.header.graceEnd
        length = secret.length
    }

    package var json: JSON {
        [
            "name": .string(name), "created": .string(UTCTime.text(created)),
            "rotated": .optional(rotated.map(UTCTime.text)),
            "previousUntil": .optional(graceEnd.map(UTCTime.text)),
            "lengthUpTo": length.map { .number($0.rawValue) } ?? .null,
        ]
    }
}
