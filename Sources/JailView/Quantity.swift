internal import JailCore

/// Numbers as people read them.
package enum Quantity {
    /// To one decimal of the largest unit that leaves something before it: `412M`, `1.5G`, `64.2K`.
    package static func bytes(_ count: UInt64) -> String {
        var unit: UInt64 = 1
        for name in ["B", "K", "M", "G", "T"] {
            if count / unit < 1024 || name == "T" {
                return count % unit == 0
                    ? "\(count / unit)\(name)" : "\(count / unit).\(count % unit * 10 / unit)\(name)"
            }
            unit *= 1024
        }
        return "\(count)B"
    }

    /// In at most four characters: `0`, `999B`, `9.9K`, `64M`, `1.0G`.
    package static func shortBytes(_ count: UInt64) -> String {
        if count == 0 { return "0" }
        var unit: UInt64 = 1
        for name in ["B", "K", "M", "G", "T", "P"] {
            // Cut, not rounded: what stands here has been reached.
            let whole = count / unit
            if whole < 1000 || name == "P" {
                return whole < 10 && unit > 1
                    ? "\(whole).\(count % unit * 10 / unit)\(name)" : "\(min(whole, 999))\(name)"
            }
            // 1000 to 1023 of one are nearly one of the next.
            if whole < 1024 { return "1.0" + next(name) }
            unit *= 1024
        }
        return "999P"
    }

    private static func next(_ name: String) -> String {
        ["B": "K", "K": "M", "M": "G", "G": "T"][name] ?? "P"
    }

    /// In at most four characters: `0`, `999`, `9.9k`, `120k`, `3.4M`.
    package static func shortCount(_ count: UInt64) -> String {
        if count < 1000 { return "\(count)" }
        var unit: UInt64 = 1000
        for name in ["k", "M", "G", "T"] {
            let whole = count / unit
            if whole < 1000 { return whole < 10 ? "\(whole).\(count % unit * 10 / unit)\(name)" : "\(whole)\(name)" }
            unit *= 1000
        }
        return "999T"
    }

    /// Microseconds, as `12.3s`.
    package static func seconds(_ microseconds: UInt64) -> String {
        "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10)s"
    }

    /// Thousandths of a processor as percent of one: `12.3`.
    package static func percent(milliCPUs: UInt64) -> String { "\(milliCPUs / 10).\(milliCPUs % 10)" }

    /// A time in seconds, as `90s`, `12m`, `7h`, `3d`.
    package static func age(_ seconds: Int64) -> String {
        switch max(0, seconds) {
        case let age where age < 120: "\(age)s"
        case let age where age < 7200: "\(age / 60)m"
        case let age where age < 172_800: "\(age / 3600)h"
        case let age: "\(age / 86400)d"
        }
    }

    /// The time of day, as `07:03:59`.
    ///
    /// - Parameters:
    ///   - time: seconds since the epoch.
    ///   - offset: seconds that the place is ahead of UTC.
    package static func clock(_ time: Int64, offset: Int64) -> String {
        UTCTime.clock((time + offset).quotientAndRemainder(roundingDown: 86_400).remainder)
    }

    /// The day, as `2026-11-30`. Parameters as for ``clock(_:offset:)``.
    package static func date(_ time: Int64, offset: Int64) -> String {
        CivilDate(daysSinceEpoch: (time + offset).quotientAndRemainder(roundingDown: 86_400).quotient).text
    }
}
