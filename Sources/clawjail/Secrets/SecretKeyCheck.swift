import JailCore
import JailHost
import SecretStore

/// What `doctor` says of the key that the caller's secrets are sealed with.
enum SecretKeyCheck {
    private static let why = "whoever has the key and the files has the secrets"

    /// nil: there are no secrets. Nothing is made where nothing is.
    static func make() -> Doctor.Check? {
        do throws(JailError) {
            let path = try DataTarget.directory(SecretStore.directoryName)
            guard (try? System.status(path)) != nil else { return nil }
            var finder = StoreKeyFinder(
                credentials: System.environmentValue("CREDENTIALS_DIRECTORY"), wantsKeyring: false)
            finder.mayUseKeyring = true
            let store = try SecretStore(path, finder)
            guard try !store.names().isEmpty else { return nil }
            return check(try store.key())
        } catch {
            return Doctor.Check(
                name: "secrets", status: .missing, finding: error.reason, why: "jails that bind secrets do not start",
                remedy: error.hint)
        }
    }

    static func check(_ key: StoreKey) -> Doctor.Check {
        let finding = "sealed with the key \(key.id), from \(key.origin)"
        guard case .file = key.origin else {
            return Doctor.Check(name: "secrets", status: .ok, finding: finding, why: why)
        }
        return Doctor.Check(
            name: "secrets", status: .limited, finding: finding, why: "\(why), and they lie in one place",
            remedy: "seal them with a credential of the service manager, see docs/secrets.md and systemd-creds(1)")
    }
}
