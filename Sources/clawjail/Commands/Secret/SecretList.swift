import ArgumentParser
import JailCore
import SecretStore

struct SecretList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the secrets that are kept, and never their values. Times are UTC.",
        discussion: "Exit status 1: one of them cannot be opened.")

    @Flag(help: "As JSON, with the key that they are sealed with.") var json = false

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            let store = try SecretPlace.reading(key)
            let names = try store.names()
            guard !names.isEmpty else {
                return try Output.print(json ? "{\"key\":null,\"secrets\":[]}" : "there are no secrets")
            }
            let key = try store.key()
            var listings: [SecretListing] = []
            var faults: [JailError] = []
            for name in names {
                do throws(JailError) {
                    listings.append(SecretListing(try store.open(name), now: System.realtimeSeconds()))
                } catch { faults.append(error) }
            }
            try Output.print(json ? Self.json(listings, key).text() : Self.table(listings, key))
            for fault in faults { Output.say(fault.description) }
            if !faults.isEmpty { Output.leave(1) }
        } catch { Output.fail(error) }
    }

    private static func json(_ listings: [SecretListing], _ key: StoreKey) -> JSON {
        [
            "key": ["source": .string(key.origin.kind), "id": .string(key.id.description)],
            "secrets": .array(listings.map(\.json)),
        ]
    }

    private static func table(_ listings: [SecretListing], _ key: StoreKey) -> String {
        let rows = listings.map { secret in
            [
                secret.name, UTCTime.shown(secret.created), secret.rotated.map(UTCTime.shown) ?? "-",
                secret.graceEnd.map(UTCTime.shown) ?? "-",
                secret.length.map { "up to \($0.rawValue)" } ?? "-",
            ]
        }
        let table = Table.text([["NAME", "CREATED", "ROTATED", "OLD VALUE UNTIL", "BYTES"]] + rows)
        return table + "\nsealed with the key \(key.id), from \(key.origin)"
    }
}
