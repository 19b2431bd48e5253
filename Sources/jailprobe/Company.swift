internal import JailCore

/// What this process does when it has said everything: it answers on a port, until standard input ends.
struct Company {
    private let listener: SharedDescriptor?
    static let greeting = "jailprobe\n"

    init(listen: String?) {
        listener = listen.flatMap { UInt16($0) }.flatMap { port in
            guard let socket = try? System.makeInternetSocket(),
                (try? System.bind(socket.borrowed, address: 0x7F00_0001, port: port)) != nil,
                (try? System.listen(socket.borrowed)) != nil
            else { return nil }
            return SharedDescriptor(socket)
        }
    }

    func stay() {
        while true {
            var entries = [System.PollEntry(.standardInput, System.PollEvents.readable)]
            if let listener { entries.append(.init(listener.borrowed, System.PollEvents.readable)) }
            guard (try? System.poll(&entries, milliseconds: -1)) != nil else { return }
            if entries[0].returned != 0 {
                guard let bytes = try? System.read(.standardInput, most: 64), !bytes.isEmpty else { return }
            }
            guard let listener, entries.count > 1, entries[1].returned != 0 else { continue }
            guard let caller = try? System.accept(listener.borrowed) else { continue }
            try? System.writeAll(caller.borrowed, Self.greeting)
        }
    }
}
