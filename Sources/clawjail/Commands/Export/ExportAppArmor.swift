import ArgumentParser
import JailCore
import JailExport
import JailPlan
import JailPolicy

struct ExportAppArmor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apparmor",
        abstract: "Write an AppArmor profile that allows what a jail shows.",
        discussion: "Without a command: for sessions, and for whatever else is executed in jails of this profile.")

    @Option(name: [.short, .long], help: "Profile: a name, or a file with '/' or .json5.")
    var profile = "research"

    @Option(help: "Name of the AppArmor profile; the default is the one of process.apparmor, or clawjail-PROFILE.")
    var name: String?

    @Flag(help: "Log what it does not allow, and let it happen.")
    var complain = false

    @Option(help: "The rules that it is written in: 3.0 or 4.0; the default is the newest that this host has.")
    var abi: String?

    @Option(help: "Show a host path read-only: SOURCE[:TARGET].")
    var read: [String] = []

    @Option(help: "Show a host path writable: SOURCE[:TARGET].")
    var write: [String] = []

    @Option(help: "Host directory for /workspace, if the profile has one.")
    var workspace: String?

    @Option(help: "Host user that the jail runs as; needed, and only allowed, when started by root.")
    var user: String?

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    private var invocation: Invocation {
        var invocation = Invocation()
        invocation.profile = profile
        invocation.overrides.read = read
        invocation.overrides.write = write
        invocation.overrides.workspace = workspace
        invocation.overrides.user = user
        invocation.command = command
        return invocation
    }

    mutating func run() {
        do throws(JailError) { try Output.print(try text()) } catch { Output.fail(error) }
    }

    private func text() throws(JailError) -> String {
        let invocation = invocation
        var profile = try invocation.loadProfile()
        let name = try Self.name(name ?? profile.process.appArmor ?? "clawjail-\(profile.name)")
        // It is written before it is loaded.
        profile.process.appArmor = nil
        let session = command.isEmpty ? SessionPlan(configuration: "{}") : nil
        let plan = try invocation.makePlan(session: session, with: profile)
        return try AppArmorProfile(plan, name: name, isComplaining: complain, abi: try Self.abi(abi)).text()
    }

    private static func name(_ text: String) throws(JailError) -> String {
        do throws(ValueError) { try Name.checkAppArmor(text) } catch {
            throw JailError(.usage, reason: "--name \(error.reason)", hint: error.hint)
        }
        return text
    }

    private static func abi(_ text: String?) throws(JailError) -> AppArmorProfile.ABI {
        guard let text else { return newestABI }
        guard let abi = AppArmorProfile.ABI(rawValue: text) else {
            throw JailError(.usage, reason: "--abi must be 3.0 or 4.0, not '\(text.printable)'")
        }
        return abi
    }

    /// A file that names rules which the parser does not have is refused by it.
    private static var newestABI: AppArmorProfile.ABI {
        (try? System.status("/etc/apparmor.d/abi/4.0", followSymlink: true)) == nil ? .three : .four
    }
}
