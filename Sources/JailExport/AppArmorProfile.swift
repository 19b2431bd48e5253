package import JailCore
package import JailPlan

/// An AppArmor profile that allows what a jail shows and nothing else, as a third wall around its commands.
///
/// Paths are those inside: AppArmor names a file by where its mount lies in the mount namespace of whoever opens it, and
/// in a jail's that begins at the jail's root.
package struct AppArmorProfile {
    /// The rules that the file is written in. What a newer one knows of and the file does not name is forbidden.
    package enum ABI: String, CaseIterable, Sendable {
        /// Of AppArmor 3: Debian 12, Ubuntu 22.04.
        case three = "3.0"
        /// Of AppArmor 4, with user namespaces and message queues: Debian 13, Ubuntu 24.04.
        case four = "4.0"
    }

    let plan: LaunchPlan
    let name: String
    let isComplaining: Bool
    let abi: ABI

    /// - Parameters:
    ///   - name: as `process.apparmor` takes it.
    ///   - isComplaining: what it does not allow is logged, and happens.
    package init(_ plan: LaunchPlan, name: String, isComplaining: Bool, abi: ABI) {
        self.plan = plan
        self.name = name
        self.isComplaining = isComplaining
        self.abi = abi
    }

    /// The whole file.
    ///
    /// - Throws: if a path of the plan has a line break in it, which no such file can name safely.
    package func text() throws(JailError) -> String {
        var rules = AppArmorFileRules()
        for step in plan.mounts { try rules.add(step) }
        for rule in plan.access { try rules.add(rule, isDirectory: isDirectory(rule.path)) }
        return head + Self.section("Files: what the jail shows, under the names that they have inside.", rules.lines)
            + Self.section("Sockets: no packets of its own making, and of netlink what getifaddrs(3) asks.", sockets)
            + Self.section(
                """
                Processes: its own, also where this profile is stacked on another. Who may send signals to it is for the
                  # sender's confinement to say: init and the supervisor must.
                """, processes)
                + """
                  # Nothing else: no capability, no mount, no other profile, no D-Bus, no message queue, no user namespace.

                  # Additions of this host's.
                  include if exists <local/\(name)>
                }

                """
    }

    private var head: String {
        """
        # AppArmor profile of what runs in jails of the profile '\(plan.profile.printable)', written by
        # 'clawjail export apparmor'. As root:
        #   put it into /etc/apparmor.d/\(name), and load it: apparmor_parser -r /etc/apparmor.d/\(name)
        # Then, in the profile: process: { apparmor: "\(name)" }

        abi <abi/\(abi.rawValue)>,

        profile "\(name)"\(isComplaining ? " flags=(complain)" : "") {

        """
    }

    private static func section(_ title: String, _ lines: [String]) -> String {
        "  # \(title)\n" + lines.map { "  \($0)\n" }.joined() + "\n"
    }

    private var sockets: [String] {
        [
            "network inet stream,", "network inet dgram,", "network inet6 stream,", "network inet6 dgram,",
            "network netlink raw,", "network unix,", "unix,",
        ]
    }

    private var processes: [String] {
        // Of a stack the kernel says all names, in the order of the alphabet.
        let own = "\"{,**//&}\(name){,//&**}\""
        return [
            "signal (receive),", "signal (send) peer=\(own),", "ptrace (trace, tracedby, read, readby) peer=\(own),",
        ]
    }

    /// nil: it lies in something that is shown as a whole, and the plan does not say.
    private func isDirectory(_ path: String) -> Bool? {
        for step in plan.mounts where step.path == path {
            switch step {
            case .bind(let bind): return bind.isDirectory
            case .tmpfs, .directory, .overlay: return true
            default: continue
            }
        }
        return nil
    }
}
