import ArgumentParser
import JailCore
import JailLaunch
import SecretStore

struct SecretGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Keep a new random secret.",
        discussion: """
            Of letters, digits, '-' and '_' (base64url of RFC 4648, without padding), from the kernel's random numbers.
            """)

    @Argument(help: "What it is called: up to 64 of a-z, 0-9, '.', '_' and '-'.") var name: String

    @Option(help: ArgumentHelp("How many random bits it has: 128 to 4096, a multiple of 8.", valueName: "number"))
    var bits = 256

    @Flag(help: "Print the value, this once.") var show = false

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            try SecretName.check(name)
            guard (128...4096).contains(bits), bits % 8 == 0 else {
                throw JailError(.usage, reason: "--bits must be from 128 to 4096, and a multiple of 8")
            }
            let store = try SecretPlace.changing(key)
            let value = try attempt(.secrets) { () throws(SystemError) in
                try GeneratedSecret.make(randomBytes: bits / 8)
            }
            let change = SecretPlace.change()
            try store.add(name, value, change, what: "generate")
            if show {
                try attempt(.secrets, "standard output") { () throws(SystemError) in
                    try System.writeAll(.standardOutput, value)
                    try System.writeAll(.standardOutput, "\n")
                }
            } else {
                try Output.print("generated: \(name)")
            }
            SecretNews.tell(SecretNote(.generate, name, who: change.who))
        } catch { Output.fail(error) }
    }
}
