package import EgressControl
internal import Glibc
internal import JailCore

/// The jail's one way out.
package enum Gateway {
    /// Serves until the supervisor goes away. Called on the first thread, with no other one running, once the process is
    /// confined: no file can be opened any more.
    ///
    /// Announces itself at once, gets its sockets later.
    package static func run(_ setup: EgressSetup) -> Never {
        do throws(SystemError) {
            try setup.channel.announce(EgressIdentity(certificate: Array("none yet\n".utf8), state: []))
            while let order = try setup.channel.nextOrder() {
                // Placeholder: every connection is accepted and dropped.
                if case .sockets(let sockets) = order { try drop(sockets, setup) }
            }
            exit(0)
        } catch {
            exit(1)
        }
    }

    private static func drop(_ sockets: EgressSockets, _ setup: EgressSetup) throws(SystemError) {
        let listeners = [sockets.proxy] + sockets.listeners
        while true {
            var entries = listeners.map { System.PollEntry($0.socket, System.PollEvents.readable) }
            entries.append(System.PollEntry(setup.channel.socket, 0))
            try System.poll(&entries, milliseconds: -1)
            if entries[listeners.count].returned != 0 { exit(0) }
            for (entry, listener) in zip(entries, listeners) where entry.returned != 0 {
                guard try System.accept(listener.socket) != nil else { continue }
                var event = EgressEvent(.connection, .denied, time: System.realtimeSeconds() * 1000)
                event.port = listener.port
                event.reason = "nothing is allowed"
                _ = try setup.channel.report(event)
            }
        }
    }
}
