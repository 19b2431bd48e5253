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
        for path in kernelFiles {
            results.append(("read \(path)", read(path)))
        }
        for path in places + options.write.filter({ !places.contains($0) }) {
            results.append(("create in \(path)", unsafe run(probe_create_file, path)))
        }
        for path in scratch + options.execute.filter({ !scratch.contains($0) }) {
            results.append(("execute from \(path)", unsafe run(probe_execute_from, path)))
            results.append(("map executable from \(path)", unsafe run(probe_map_executable_from, path)))
            results.append(("make device in \(path)", unsafe run(probe_make_device_in, path)))
        }
        for path in options.start { results.append(("start \(path)", unsafe run(probe_start, path))) }
        for path in options.canStart { results.append(("can start \(path)", unsafe run(probe_can_start, path))) }
        for path in options.change { results.append(("change \(path)", unsafe run(probe_change, path))) }
        for port in options.bind { results.append(("bind \(port)", unsafe run(probe_bind, port))) }
        for call in options.calls { results.append(("call \(call)", unsafe run(probe_call, call))) }
        for path in options.read where !kernelFiles.contains(path) { results.append(("read \(path)", read(path))) }
        for port in options.ports { results.append(("connect \(port)", unsafe run(probe_connect_loopback, port))) }
        for name in options.abstractSockets {
            results.append(("connect @\(name)", unsafe run(probe_connect_abstract, name)))
        }
        for path in options.sockets { results.append(("connect \(path)", unsafe run(probe_connect_path, path))) }
        for key in options.keys { results.append(("key \(key)", unsafe run(probe_has_session_key, key))) }
        for pid in options.pids { results.append(("signal \(pid)", unsafe run(probe_signal, pid))) }
        results += network(options)
        results += limits(options)
        return .object(results)
    }

    private static func network(_ options: Options) -> [(String, JSON)] {
        var results: [(String, JSON)] = []
        for address in options.routes { results.append(("route \(address)", unsafe run(probe_route, address))) }
        for name in options.names { results.append(("resolve \(name)", unsafe run(probe_resolve, name))) }
        for request in options.requests { results.append(("request \(request)", ask(request))) }
        return results
    }

    /// Last: what was killed for want of memory may have been something else.
    private static func limits(_ options: Options) -> [(String, JSON)] {
        var results: [(String, JSON)] = []
        for size in options.reserve { results.append(("reserve \(size)", unsafe run(probe_reserve, size))) }
        for size in options.writeBehind {
            results.append(("write behind \(size)", unsafe run(probe_write_behind, size)))
        }
        for count in options.openFiles { results.append(("open files \(count)", unsafe run(probe_open_files, count))) }
        for count in options.spawn { results.append(("spawn \(count)", unsafe run(probe_spawn, count))) }
        for size in options.eat { results.append(("eat \(size)", unsafe run(probe_eat, size))) }
        return results
    }

    /// `ADDRESS:PORT METHOD TARGET HOST`; what was answered comes along.
    private static func ask(_ text: String) -> JSON {
        let words = text.split(separator: " ").map(String.init)
        let place = words.first?.split(separator: ":").map(String.init) ?? []
        guard words.count == 4, place.count == 2, let port = Int32(place[1]) else {
            return ["result": .string(Self.text(PROBE_FAILED, 0))]
        }
        let request =
            "\(words[1]) \(words[2]) HTTP/1.1\r\nHost: \(words[3])\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        var answer = [CChar](repeating: 0, count: 8192)
        let status = unsafe answer.withUnsafeMutableBufferPointer { buffer in
            unsafe probe_ask_http(place[0], port, request, buffer.baseAddress, buffer.count)
        }
        let bytes = answer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return [
            "result": .string(Self.text(PROBE_RESULT, status)), "value": .number(status),
            "answer": .string(String(decoding: bytes, as: UTF8.self)),
        ]
    }

    private static let kernelFiles = [
        "/dev/kmsg", "/dev/mem", "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/kallsyms",
    ]
    private static let scratch = ["/tmp", "/dev/shm", "/home/claw"]
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
        return ["result": .string(text(end, value)), "value": .number(value)]
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
