import JailCore
import JailLaunch

/// Tells the jails that run of what was done with a secret.
enum SecretNews {
    /// Milliseconds that a jail has to ask for its secrets again: as long as a program of a profile's may take, and a little.
    private static let patience: Int32 = 130_000

    /// What a jail says that binds the secret stands on standard error.
    ///
    /// - Returns: whether all of them have what they wanted.
    @discardableResult
    static func tell(_ note: SecretNote, only jail: String? = nil) -> Bool {
        var isWell = true
        for (address, presence) in JailAddress.all() {
            let name = address.shown
            guard case .running(let state) = presence, jail == nil || jail == name,
                let bound = RunningJail(name: name, state: state)?.secretNames, !bound.isEmpty,
                note.name.map(bound.contains) ?? true
            else { continue }
            do throws(JailError) {
                guard try JailConnection.ask(.secret(note), try JailConnection.open(name), patience: patience) != nil
                else { continue }
                Output.say("jail '\(name)': \(said(note))")
            } catch {
                // It takes this one from elsewhere, or has just ended.
                if error.status == ExitStatus.notThere { continue }
                isWell = false
                Output.say("jail '\(name)': \(error)")
            }
        }
        return isWell
    }

    private static func said(_ note: SecretNote) -> String {
        switch note.action {
        case .set, .generate, .rotate: "uses the new value of '\(note.name ?? "")'"
        case .remove: "has lost '\(note.name ?? "")': requests with it are denied"
        case .reload: "has read its secrets"
        }
    }
}
