import ArgumentParser
import JailCore
import JailView

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print the figures of running jails for Prometheus, or serve them.",
        discussion: """
            In the text format, version 0.0.4, as node_exporter's textfile collector takes it. With --listen they are \
            served over HTTP as /metrics until a signal ends it: on a UNIX socket that only this user may connect to, or on a \
            port of the loopback, which every user of the host may read.
            """)

    @Option(
        help: ArgumentHelp("Serve them: a path with '/', or 127.0.0.1:PORT.", valueName: "place"),
        completion: .file())
    var listen: String?

    mutating func run() {
        do throws(JailError) {
            // Refused inside a jail.
            let jails = try JailLook.jails(named: nil)
            guard let listen else {
                return try Output.print(
                    Metrics.text(JailLook.samples(of: jails), version: Clawjail.configuration.version))
            }
            let place = try MetricsPlace(listen)
            var server = try MetricsServer(place)
            defer { place.remove() }
            try server.run()
        } catch { Output.fail(error) }
    }
}
