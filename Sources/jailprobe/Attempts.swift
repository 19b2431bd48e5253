internal import CProbe
internal import JailCore

/// Every attempt, each with what came of it: `ok`, `errno NAME`, `signal NAME` or `timeout`.
enum Attempts {
    static func all(_ options: Options) -> JSON {
        var results: [(String, JSON)] = []
        unsafe results += table(probe_attempts_table())
        unsafe results += table(probe_calls_table())
        unsafe results += table(probe_sockets_table()).map { ("socket \($0.0)", $0.1) }
        for file in ["exe", "environ", "mem", "root", "fd", "cwd", "maps", "stack", "io"] {
            results.append(("read /proc/1/\(file)", read("/proc/1/\(file)")))
        }
        for path in ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname"] {
            results.append(("write \(path)", unsafe run(probe_open_write, path)))
        }
        for path in ["/dev/kmsg", "/dev/mem", "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/kallsyms"] {
            results.append(("read \(path)", read(path)))
        }
        for path in places + options.write {
            results.append(("create in \(path)", unsafe run(probe_create_file, path)))
        }
        for path in ["/tmp", "/dev/shm", "/home/claw"] + options.execute {
            results.append(("execute from \(path)", unsafe run(probe_execute_from, path)))
            results.append(("map executable from \(path)", unsafe run(probe_map_executable_from, path)))
            results.append(("make device in \(path)", unsafe run(probe_make_device_in, path)))
        }
        for path in options.start { results.append(("start \(path)", unsafe run(probe_start, path))) }
        for path in options.canStart { results.append(("can start \(path)", unsafe run(probe_can_start, path))) }
        for path in options.change { results.append(("change \(path)", unsafe run(probe_change, path))) }
        for port in options.bind { results.append(("bind \(port)", unsafe run(probe_bind, port))) }
        for call in options.calls { results.append(("call \(call)", unsafe run(probe_call, call))) }
        for path in options.read { results.append(("read \(path)", read(path))) }
        for port in options.ports { results.append(("connect \(port)", unsafe run(probe_connect_loopback, port))) }
        for name in options.abstractSockets {
            results.append(("connect @\(name)", unsafe run(probe_connect_abstract, name)))
        }
        for path in options.sockets { results.append(("connect \(path)", unsafe run(probe_connect_path, path))) }
        for key in options.keys { results.append(("key \(key)", unsafe run(probe_has_session_key, key))) }
        for pid in options.pids { results.append(("signal \(pid)", unsafe run(probe_signal, pid))) }
        return .object(results)
    }

    private static let places = [
        "/", "/usr", "/etc", "/proc/sys", "/proc", "/dev", "/run", "/tmp", "/dev/shm", "/home", "/home/claw", "/data",
        "/workspace",
    ]

    /// Directories by listing them, links by reading them, and everything else by opening it.
    private static func read(_ path: String) -> JSON {
        if ["exe", "root", "cwd"].contains(where: { path.hasSuffix("/1/\($0)") }) {
            return unsafe run(probe_read_link, path)
        }
        return path.hasSuffix("/fd") ? unsafe run(probe_list, path) : unsafe run(probe_open_read, path)
    }

    private typealias Attempt = @convention(c) (UnsafePointer<CChar>?) -> Int

    private static func table(_ first: UnsafePointer<probe_attempt>) -> [(String, JSON)] {
        var results: [(String, JSON)] = []
        var next = unsafe first
        while let name = unsafe next.pointee.name, let attempt = unsafe next.pointee.run {
            unsafe results.append((String(cString: name), run(attempt, nil)))
            unsafe next += 1
        }
        return results
    }

    private static func run(_ attempt: Attempt, _ argument: String?) -> JSON {
        var value = 0
        let end: probe_end
        if let argument {
            end = unsafe argument.withCString { unsafe probe_run(attempt, $0, &value) }
        } else {
            end = unsafe probe_run(attempt, nil, &value)
        }
        return ["result": .string(text(end, value))]
    }

    private static func text(_ end: probe_end, _ value: Int) -> String {
        switch end {
        case PROBE_RESULT: value >= 0 ? "ok" : unsafe "errno \(String(cString: probe_error_name(Int32(-value))))"
        case PROBE_SIGNAL: unsafe "signal \(String(cString: probe_signal_name(Int32(value))))"
        case PROBE_TIMEOUT: "timeout"
        default: "could not be tried"
        }
    }
}
