package import JailCore
package import JailPlan

extension AppArmorPlan {
    /// Init: whatever it executes from now on, it executes in the profile. Init itself stays as it is, and what it forks
    /// takes the order along, see aa_change_onexec(3).
    ///
    /// From no confinement a profile is entered even under no_new_privs, because that only takes rights away. A confined
    /// process stacks it on its own: the kernel then asks both.
    ///
    /// - Parameter attributes: this process's. A task can write none but its own, through a file that it has opened itself.
    /// - Throws: ENOENT of write(2) if no such profile is loaded; EACCES if the own one does not allow it; EINVAL of the
    ///   check if the kernel does not hold the order afterwards, or holds one that confines nothing.
    package func apply(attributes: String = "/proc/self/attr/apparmor") throws(SystemError) {
        let order = (confinement == nil ? "exec " : "stack ") + profile
        let file = try System.open(attributes + "/exec", .writeOnly)
        // In one piece: the kernel takes no second one.
        try System.writeAll(file.borrowed, order)
        let answer = try System.readFile(attributes + "/exec", limit: 4096)
        guard isHeld(String(decoding: answer.prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self)) else {
            throw SystemError(.check, .invalid)
        }
    }

    /// Whether what the kernel answers is the order: the profile, and in brackets a mode that confines or is meant to.
    func isHeld(_ answer: String) -> Bool {
        ["enforce", "complain", "kill", "prompt"].contains { answer == "\(profile) (\($0))" }
    }
}
