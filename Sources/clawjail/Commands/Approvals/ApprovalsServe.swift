import ArgumentParser
import JailCore
import JailPlan
import JailPolicy

struct ApprovalsServe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a page to decide, watch and stop on, for browsers.",
        discussion: """
            On 127.0.0.1 and ::1 of this host, and nowhere else, until a signal ends it. Whoever comes logs in with a token, see \
            'clawjail token create', and may there what the token may. What nobody decides on the page is denied as ever.
            """)

    @Option(
        help: ArgumentHelp("Where it is: \(PagePorts.text). No jail reaches these.", valueName: "port"))
    var port: UInt16 = PagePorts.usual

    @Option(
        help: ArgumentHelp(
            "A name besides localhost that browsers may ask for it by, with a port or without; may be repeated.",
            valueName: "name"))
    var allowedHost: [String] = []

    mutating func run() {
        do throws(JailError) {
            // Refused inside a jail.
            _ = try JailLook.jails(named: nil)
            guard PagePorts.contains(port) else {
                throw JailError(
                    .usage, reason: "--port must be one of \(PagePorts.text)",
                    hint: "these are kept from jails, whatever their profiles allow")
            }
            let tokens = "\(try TokenCommand.directory())/\(ApprovalsPlan.tokensFile)"
            try PageProcess(port: port, names: allowedHost, desk: PageDesk(tokens: tokens)).run()
        } catch { Output.fail(error) }
    }
}
