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
    /// Addresses that there may be a way to.
    var routes: [String] = []
    /// Names for the jail's name server, and requests: `ADDRESS:PORT METHOD TARGET HOST`.
    var names: [String] = []
    var requests: [String] = []
    /// How far limits are tried: bytes, processes, files, and `BYTES:DIRECTORY`.
    var eat: [String] = []
    var spawn: [String] = []
    var openFiles: [String] = []
    var reserve: [String] = []
    var writeBehind: [String] = []
    /// Everything that may be executed below `/` is listed, but for what lies below these.
    var scansPrograms = false
    var unscanned: [String] = []
    /// A port of 127.0.0.1 that is answered on until standard input ends.
    var listen: String?
    /// Stay until standard input ends.
    var waits = false

    static let usage = """
        usage: jailprobe [--facts] [--port N] [--abstract NAME] [--socket PATH] [--read PATH] [--write PATH] \
        [--execute DIRECTORY] [--start PATH] [--can-start PATH] [--change PATH] [--call NUMBER] [--key NAME] \
        [--signal PID] [--list DIRECTORY] [--bind PORT] [--route ADDRESS] [--resolve NAME] \
        [--request 'ADDRESS:PORT METHOD TARGET HOST'] [--eat BYTES] [--spawn N] [--open-files N] \
        [--reserve BYTES:DIRECTORY] [--write-behind BYTES:DIRECTORY] [--programs] [--unscanned DIRECTORY] [--listen PORT] \
        [--wait] …
        """

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        var arguments = arguments
        while let option = arguments.popFirst() {
            switch option {
            case "--facts":
                factsOnly = true
                continue
            case "--programs":
                scansPrograms = true
                continue
            case "--wait":
                waits = true
                continue
            default: break
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
            case "--unscanned": unscanned.append(value)
            case "--listen": listen = value
            default: try takeTrial(option, value)
            }
        }
    }

    /// What is tried of the network and of limits.
    private mutating func takeTrial(_ option: String, _ value: String) throws(UsageError) {
        switch option {
        case "--route": routes.append(value)
        case "--resolve": names.append(value)
        case "--request": requests.append(value)
        case "--eat": eat.append(value)
        case "--spawn": spawn.append(value)
        case "--open-files": openFiles.append(value)
        case "--reserve": reserve.append(value)
        case "--write-behind": writeBehind.append(value)
        default: throw UsageError(reason: Self.usage)
        }
    }
}
