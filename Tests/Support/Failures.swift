package import JailCore
package import Testing

/// The error that a launch would end with; a failed expectation if there is none.
package func failure(
    _ location: SourceLocation = #_sourceLocation, _ body: () throws(JailError) -> Void
) -> JailError? {
    do throws(JailError) {
        try body()
        Issue.record("no error was thrown", sourceLocation: location)
        return nil
    } catch {
        return error
    }
}

/// The error code that a kernel call fails with; nil if it succeeds.
package func errno(_ body: () throws(SystemError) -> Void) -> Errno? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error.errno
    }
}

/// Reproducible randomness (SplitMix64).
package struct Seeded: RandomNumberGenerator {
    package var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// True once in `times`.
    package mutating func chance(_ times: UInt64 = 2) -> Bool { next() % times == 0 }
}
