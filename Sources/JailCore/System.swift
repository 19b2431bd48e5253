internal import CLinux

/// Checked system calls: a result, or a ``SystemError`` with the call's name. One file for each area.
package enum System {
    static func message(for errno: Int32) -> String { unsafe String(cString: cl_strerror(errno)) }

    @inline(__always)
    @discardableResult
    static func check(_ call: KernelCall, _ result: Int32) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(call, Errno(-result)) }
        return result
    }

    @inline(__always)
    @discardableResult
    static func check(_ call: KernelCall, _ result: Int) throws(SystemError) -> Int {
        guard result >= 0 else { throw SystemError(call, Errno(Int32(-result))) }
        return result
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    package static func monotonicNanoseconds() -> Int64 { cl_clock(1) }
    /// Nanoseconds of CLOCK_BOOTTIME.
    package static func boottimeNanoseconds() -> Int64 { cl_clock(7) }
    /// Seconds since the epoch.
    package static func realtimeSeconds() -> Int64 { cl_realtime_seconds() }
    /// Milliseconds since the epoch.
    package static func realtimeMilliseconds() -> Int64 { cl_clock(0) / 1_000_000 }

    package static func randomBytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = unsafe bytes.withUnsafeMutableBytes { unsafe cl_getrandom($0.baseAddress, $0.count) }
        guard try check(.getrandom, result) == count else { throw SystemError(.getrandom, .inputOutput) }
        return bytes
    }

    package static var userID: UInt32 { cl_getuid() }
    package static var effectiveUserID: UInt32 { cl_geteuid() }
    package static var groupID: UInt32 { cl_getgid() }
    package static var effectiveGroupID: UInt32 { cl_getegid() }

    /// The kernel's release and the machine's name, see uname(2).
    package static func kernelName() throws(SystemError) -> (release: String, machine: String) {
        var release = [CChar](repeating: 0, count: 65)
        var machine = [CChar](repeating: 0, count: 65)
        let result = unsafe release.withUnsafeMutableBufferPointer { release in
            unsafe machine.withUnsafeMutableBufferPointer { machine in
                unsafe cl_uname(release.baseAddress, release.count, machine.baseAddress, machine.count)
            }
        }
        try check(.uname, result)
        return (text(release), text(machine))
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The caller's environment, in its own order. Entries without `=` are dropped.
    package static func environment() -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        guard var entry = unsafe cl_environment() else { return [] }
        while let pointer = unsafe entry.pointee {
            let text = unsafe String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                result.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
            }
            unsafe entry += 1
        }
        return result
    }

    /// The value of an environment variable of the caller.
    package static func environmentValue(_ name: String) -> String? {
        guard let value = unsafe cl_getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// AT_EMPTY_PATH of fcntl.h, which glibc shows only with _GNU_SOURCE: the descriptor itself is meant.
let atEmptyPath: Int32 = 0x1000
