/// The names that profiles use. All of ASCII and checked byte by byte.
package enum Name {
    /// Of a profile: `[a-z0-9][a-z0-9_-]{0,63}`.
    package static func checkProfile(_ text: String) throws(ValueError) {
        guard matches(text, 1...64, first: isLowerOrDigit, rest: { isLowerOrDigit($0) || $0.isOne(of: "_-") }) else {
            throw ValueError(
                expected: "a name of a-z, 0-9, '_' and '-', at most 64, first a letter or digit", found: text)
        }
    }

    /// Of a secret: `[a-z0-9][a-z0-9._-]{0,63}`, so that no two look alike, and one component of a path.
    package static func checkSecret(_ text: String) throws(ValueError) {
        guard matches(text, 1...64, first: isLowerOrDigit, rest: { isLowerOrDigit($0) || $0.isOne(of: "._-") }) else {
            throw ValueError(
                expected: "a name of a-z, 0-9, '.', '_' and '-', at most 64, first a letter or digit", found: text)
        }
    }

    /// Of an environment variable: `[A-Za-z_][A-Za-z0-9_]*`.
    package static func checkEnvironment(_ text: String) throws(ValueError) {
        guard matches(text, 1...255, first: { isLetter($0) || $0.isOne(of: "_") }, rest: isWord) else {
            throw ValueError(expected: "an environment name of letters, digits and '_', at most 255", found: text)
        }
    }

    /// Of a variable that is passed on from the caller.
    package static func checkPassed(_ text: String) throws(ValueError) {
        try checkEnvironment(text)
        // What these hold becomes code in every program of the jail; the value belongs where the profile's reader sees
        // it.
        guard !text.utf8.starts(with: "LD_".utf8), !["GLIBC_TUNABLES", "GCONV_PATH"].contains(text) else {
            throw ValueError(
                "must not pass on \"\(text)\", with which the caller's environment would decide what code is loaded",
                hint: "set it in process.environment, where its value can be read")
        }
        guard !serviceVariables.contains(text) else {
            throw ValueError("must not pass on \"\(text)\": it is between clawjail and the service manager")
        }
    }

    /// What systemd gives to the processes of a service, see sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3).
    private static let serviceVariables = [
        "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "MAINPID",
    ]

    /// Of the user inside: `[a-z_][a-z0-9_-]{0,31}`, and not one that the jail's /etc/passwd has already.
    package static func checkInsideUser(_ text: String) throws(ValueError) {
        let isStart: (UInt8) -> Bool = { isLower($0) || $0.isOne(of: "_") }
        guard matches(text, 1...32, first: isStart, rest: { isLowerOrDigit($0) || $0.isOne(of: "_-") }),
            text != "root", text != "nobody"
        else {
            throw ValueError(
                expected: "a user name of a-z, 0-9, '_' and '-', at most 32, other than root and nobody", found: text)
        }
    }

    /// A user of the host: a name as useradd(8) makes it, or a number. Never root.
    package static func checkHostUser(_ text: String) throws(ValueError) {
        if let number = DecimalDigits.parse(text) {
            // The largest id of 32 bits means "no id" to the kernel.
            guard (1..<UInt64(UInt32.max)).contains(number) else {
                throw ValueError(expected: "a user id from 1 to 4294967294", found: text)
            }
            return
        }
        guard text != "root" else { throw ValueError("must not be root: nothing in a jail runs as the host's root") }
        let isStart: (UInt8) -> Bool = { isLetter($0) || $0.isOne(of: "_") }
        guard matches(text, 1...32, first: isStart, rest: { isWord($0) || $0.isOne(of: ".-") }) else {
            throw ValueError(expected: "a user of the host, by name or number", found: text)
        }
    }

    /// Of the jail: labels of a-z, 0-9 and '-', at most 63 in all.
    package static func checkHostName(_ text: String) throws(ValueError) {
        guard text.utf8.count <= 63, areLabels(text[...]) else {
            throw ValueError(expected: "a host name of a-z, 0-9, '-' and '.', at most 63", found: text)
        }
    }

    /// Of a system call, as the kernel spells it. Whether it exists is for seccomp to say.
    package static func checkSystemCall(_ text: String) throws(ValueError) {
        let isStart: (UInt8) -> Bool = { isLower($0) || $0.isOne(of: "_") }
        guard matches(text, 1...64, first: isStart, rest: { isLowerOrDigit($0) || $0.isOne(of: "_") }) else {
            throw ValueError(expected: "the name of a system call such as \"io_uring_setup\"", found: text)
        }
    }

    /// Of an AppArmor profile: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`. The kernel gives a meaning to ':', '/' and '&', and
    /// "unconfined" is no wall.
    package static func checkAppArmor(_ text: String) throws(ValueError) {
        let isStart: (UInt8) -> Bool = { isLetter($0) || $0.isDigit }
        guard matches(text, 1...64, first: isStart, rest: { isWord($0) || $0.isOne(of: ".-") }), text != "unconfined"
        else {
            throw ValueError(
                expected:
                    "the name of an AppArmor profile, of letters, digits, '.', '_' and '-', at most 64, other than "
                    + "unconfined", found: text)
        }
    }

    // MARK: Characters

    static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { isLower(byte) || isUpper(byte) }
    static func isLowerOrDigit(_ byte: UInt8) -> Bool { isLower(byte) || byte.isDigit }
    static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || byte.isDigit || byte.isOne(of: "_") }

    private static func matches(
        _ text: String, _ length: ClosedRange<Int>, first: (UInt8) -> Bool, rest: (UInt8) -> Bool
    ) -> Bool {
        guard length.contains(text.utf8.count), let start = text.utf8.first else { return false }
        return first(start) && text.utf8.dropFirst().allSatisfy(rest)
    }

    /// Labels of a host name: 1 to 63 of a-z, 0-9 and '-', which neither begin nor end with '-'.
    static func areLabels(_ text: Substring) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy { isLowerOrDigit($0) || $0.isOne(of: "-") }
                && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
        }
    }
}

extension UInt8 {
    fileprivate func isOne(of characters: StaticString) -> Bool {
        unsafe UnsafeBufferPointer(start: characters.utf8Start, count: characters.utf8CodeUnitCount).contains(self)
    }
}

extension EnvironmentVariable {
    /// MAX_ARG_STRLEN of linux/binfmts.h: `NAME=VALUE` and its NUL.
    private static let longest = 131_072

    package static func make(name: String, value: String) throws(ValueError) -> EnvironmentVariable {
        try Name.checkEnvironment(name)
        guard value.utf8.allSatisfy({ $0 != 0 && $0 != 0x0A && $0 != 0x0D }) else {
            throw ValueError("must be a value without NUL and line breaks")
        }
        guard name.utf8.count + value.utf8.count + 2 <= longest else {
            throw ValueError("must be shorter than 128 KiB")
        }
        return EnvironmentVariable(name: name, value: value)
    }

    /// `NAME=VALUE`.
    package static func parse(_ text: String) throws(ValueError) -> EnvironmentVariable {
        let parts = text.parts(at: "=", most: 2)
        guard parts.count == 2 else { throw ValueError(expected: "NAME=VALUE", found: text) }
        return try make(name: String(parts[0]), value: String(parts[1]))
    }
}
