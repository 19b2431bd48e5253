struct UsageError: Error {
    var reason: String
}

/// What of the host is to be tried besides the fixed table.
struct Options {
    var factsOnly = false
    /// Ports of 127.0.0.1.
    var ports: [String] = []
    var abstractSockets: [String] = []
    var sockets: [String] = []
    /// Paths to be read, opened for writing, and executed from.
    var read: [String] = []
    var write: [String] = []
    var execute: [String] = []
    /// Programs to be started.
    var start: [String] = []
    /// Programs that execve(2) is asked for, and no more.
    var canStart: [String] = []
    /// Paths to be written to, whatever is there.
    var change: [String] = []
    /// Ports to be listened on, and numbers of system calls.
    var bind: [String] = []
    var calls: [String] = []
    var keys: [String] = []
    var pids: [String] = []
    var directories = ["/", "/etc", "/dev", "/home"]

    static let usage = """
        usage: jailprobe [--facts] [--port N] [--abstract NAME] [--socket PATH] [--read PATH] [--write PATH] \
        [--execute DIRECTORY] [--start PATH] [--can-start PATH] [--change PATH] [--bind PORT] [--call NUMBER] \
        [--key NAME] [--signal PID] [--list DIRECTORY] …
        """

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        var arguments = arguments
        while let option = arguments.popFirst() {
            if option == "--facts" {
                factsOnly = true
                continue
            }
            guard let value = arguments.popFirst() else { throw UsageError(reason: Self.usage) }
            switch option {
            case "--port": ports.append(value)
            case "--abstract": abstractSockets.append(value)
            case "--socket": sockets.append(value)
            case "--read": read.append(value)
            case "--write": write.append(value)
            case "--execute": execute.append(value)
            case "--start": start.append(value)
            case "--can-start": canStart.append(value)
            case "--change": change.append(value)
            case "--bind": bind.append(value)
            case "--call": calls.append(value)
            case "--key": keys.append(value)
            case "--signal": pids.append(value)
            case "--list": directories.append(value)
            default: throw UsageError(reason: Self.usage)
            }
        }
    }
}
