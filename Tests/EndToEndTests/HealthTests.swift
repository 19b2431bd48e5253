import Foundation
import Glibc
import Testing

/// Health as it is asked for and told, to people, programs and the service manager.
@Suite(.needs("node")) struct HealthTests {
    /// What systemd would be: a datagram socket at a path that the caller can write to.
    private final class Manager {
        let path = Scratch.file("notify")
        private let socket: Int32
        private(set) var messages: [String] = []

        init() throws {
            socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | 0o2004000, 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
            let length = socklen_t(2 + path.utf8.count)
            let result = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(socket, $0, length) }
            }
            guard result == 0 else { throw HarnessError("bind \(path): errno \(errno)") }
            unsafe chmod(path, 0o777)
        }

        deinit { close(socket) }

        func hear() -> [String] {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe recv(socket, &buffer, buffer.count, 0)
                guard count >= 0 else { return messages }
                messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
            }
        }

        /// How often it has heard this since it was asked the last time.
        func count(_ message: String) -> Int {
            messages = []
            return hear().filter { $0.hasPrefix(message) }.count
        }
    }

    private static func profile(_ health: String) -> String {
        "{ extends: 'offline', process: { stopGrace: '2s' }, health: { \(health) } }".json
    }
    private static let quick = "startPeriod: '20s', interval: '200ms', timeout: '500ms', retries: 2"

    /// Answers with the status that its first argument says; a later SIGUSR2 makes it hang, and another one go on.
    private static let server = """
        const http=require('http');let hung=false;process.on('SIGUSR2',()=>{hung=!hung});
        process.on('SIGTERM',()=>process.exit(0));
        setTimeout(()=>http.createServer((q,a)=>{if(!hung){a.writeHead(q.url=='/healthz'?200:404);a.end('x')}})
          .listen(7000,'127.0.0.1'),700)
        """

    private func start(
        _ caller: Caller, _ health: String, _ manager: Manager, command: [String], watchdog: Int? = nil
    ) throws -> (jail: Jail, running: Running) {
        var jail = try Jail(caller, Self.profile(health))
        jail.environment["NOTIFY_SOCKET"] = manager.path
        if let watchdog { jail.environment["WATCHDOG_USEC"] = "\(watchdog)" }
        return (jail, try jail.start(command: command))
    }

    @Test(arguments: Caller.all)
    func `ready is who answers, signs of life end where answers do, and come back with them`(caller: Caller) throws {
        let manager = try Manager()
        let (jail, running) = try start(
            caller, "http: { port: 7000, path: '/healthz' }, \(Self.quick)", manager,
            command: ["node", "-e", Self.server], watchdog: 400_000)
        defer { running.signal(SIGKILL) }
        #expect(eventually(10) { manager.hear().contains { $0.hasPrefix("READY=1\n") } }, "\(running.errorText)")
        #expect(manager.messages.first?.hasPrefix("EXTEND_TIMEOUT_USEC=") == true)
        #expect(manager.messages.firstIndex { $0.hasPrefix("READY=1") } == 1, "\(manager.messages)")
        #expect(eventually(5) { manager.hear().filter { $0 == "WATCHDOG=1" }.count > 4 })
        running.signal(SIGUSR2)
        #expect(eventually(10) { manager.hear().contains { $0.hasPrefix("STATUS=unhealthy: 2 times in a row") } })
        _ = manager.count("")
        usleep(1_000_000)
        #expect(manager.count("WATCHDOG=1") == 0)
        #expect(
            running.errorText.contains("clawjail: unhealthy: 2 times in a row: GET 127.0.0.1:7000/healthz: no answer"))
        running.signal(SIGUSR2)
        #expect(eventually(10) { manager.hear().contains("STATUS=healthy") })
        #expect(eventually(5) { manager.hear().filter { $0 == "WATCHDOG=1" }.count > 2 })
        running.signal(SIGTERM)
        #expect(try running.wait().status == 0)
        #expect(manager.hear().last?.hasPrefix("STOPPING=1\nEXTEND_TIMEOUT_USEC=32000000\n") == true)
        #expect(running.errorText.contains("clawjail: healthy again"))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a command that stays unwell for its start period is not ready`(caller: Caller)
        throws
    {
        let manager = try Manager()
        let (jail, running) = try start(
            caller, "http: { port: 7000, path: '/other' }, startPeriod: '1s', interval: '200ms'", manager,
            command: ["node", "-e", Self.server], watchdog: 200_000)
        defer { running.signal(SIGKILL) }
        let said = "unhealthy: not healthy within 1s of its start: GET 127.0.0.1:7000/other: "
        #expect(eventually(10) { running.errorText.contains(said) })
        #expect(running.errorText.contains("status 404") || running.errorText.contains("nothing listens"))
        #expect(!manager.hear().contains { $0.hasPrefix("READY=1") || $0 == "WATCHDOG=1" }, "\(manager.messages)")
        running.signal(SIGTERM)
        #expect(try running.wait().status == 0)
        try jail.expectNothingLeft()
    }

    /// An endless answer, one that comes in drops, none at all, one that is no HTTP, and a connection that is cut.
    @Test(arguments: [
        "s=>{const f=e=>e||s.write(Buffer.alloc(65536),f);f()}", "s=>setInterval(()=>s.write('H'),50)", "s=>{}",
        "s=>s.end('SSH-2.0-x\\r\\n')", "s=>s.destroy()", "s=>s.end('HTTP/1.1 500 no\\r\\n\\r\\n')",
    ])
    func `whatever answers, the supervisor goes on`(answer: String) throws {
        let manager = try Manager()
        let script = "require('net').createServer(s=>{s.on('error',()=>{});(\(answer))(s)}).listen(7000,'127.0.0.1')"
        let (jail, running) = try start(
            Caller.all[0], "http: { port: 7000 }, startPeriod: '1s', interval: '100ms', timeout: '300ms'", manager,
            command: ["node", "-e", script])
        defer { running.signal(SIGKILL) }
        #expect(eventually(10) { running.errorText.contains("clawjail: unhealthy: ") }, "\(running.errorText)")
        // The loop still hears: a state within its time, and a stop.
        #expect(try jail.start(words: ["ps"]).wait().text.contains("unhealthy"))
        running.signal(SIGTERM)
        #expect(try running.wait(5).status == 143)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a command says how it is, and leaves nothing running`(caller: Caller) throws {
        let manager = try Manager()
        let options = "{detached:true,stdio:\\u0027ignore\\u0027}"
        let left = "setTimeout(()=>{},61e3)"
        let check =
            "require(\\u0027child_process\\u0027).spawn(\\u0027node\\u0027,[\\u0027-e\\u0027,\\u0027\(left)\\u0027],\(options)).unref()"
        let times = "startPeriod: '20s', interval: '200ms', timeout: '10s', retries: 2"
        let (jail, running) = try start(
            caller, "exec: ['node', '-e', '\(check)'], \(times)",
            manager, command: ["node", "-e", "process.on('SIGTERM',()=>process.exit(0));setInterval(()=>{},1e3)"])
        defer { running.signal(SIGKILL) }
        #expect(eventually(15) { manager.hear().contains { $0.hasPrefix("READY=1") } }, "\(running.errorText)")
        sleep(3)
        // One that was left running would stand in the way of the next.
        #expect(!running.errorText.contains("unhealthy"), "\(running.errorText)")
        running.signal(SIGTERM)
        #expect(try running.wait().status == 0)
        try jail.expectNothingLeft()
    }

    @Test func `without a question it is ready when it runs, and a short command says nothing else`() throws {
        let manager = try Manager()
        var jail = try Jail(Caller.all[0], Profiles.offline)
        jail.environment["NOTIFY_SOCKET"] = manager.path
        jail.environment["WATCHDOG_USEC"] = "200000"
        let finished = try jail.run("node", "-e", "setTimeout(()=>console.log(JSON.stringify(process.env)),600)")
        #expect(finished.status == 0 && finished.errors.isEmpty, "\(finished.errors)")
        #expect(manager.hear().first == "READY=1\nSTATUS=running")
        #expect(manager.messages.filter { $0 == "WATCHDOG=1" }.count > 3, "\(manager.messages)")
        for name in ["NOTIFY_SOCKET", "WATCHDOG_"] { #expect(!finished.text.contains(name)) }
        let research = try Jail(Caller.all[0], Profiles.research).run("node", "-e", "setTimeout(()=>{},1500)")
        #expect(research.status == 0 && research.errors.isEmpty, "\(research.errors)")
    }

    @Test func `a service manager that cannot be told is a note, and one in the background is not told`() throws {
        var jail = try Jail(Caller.all[0], Profiles.offline)
        jail.environment["NOTIFY_SOCKET"] = "/nowhere/at/all"
        let finished = try jail.run("node", "-e", "setTimeout(()=>{},300)")
        #expect(finished.status == 0 && finished.errorLines.count == 1, "\(finished.errors)")
        #expect(finished.errors.contains("the service manager cannot be told"))
        let manager = try Manager()
        jail.environment["NOTIFY_SOCKET"] = manager.path
        #expect(try jail.run(["--detach"], command: ["node", "-e", "setTimeout(()=>{},500)"]).status == 0)
        sleep(1)
        #expect(manager.hear().isEmpty)
    }
}
