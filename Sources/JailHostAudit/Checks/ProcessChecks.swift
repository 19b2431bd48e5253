/// Who the gateway is, and what holds it.
extension HostCheck {
    static let runsAsRoot = HostCheck(
        .process, "host.gateway.root", "whatever the agent is talked into, it does as root, on the whole host")
    static let loginUser = HostCheck(
        .process, "host.gateway.login_user",
        "it reads and changes everything of a person's account: keys, mail, what a shell executes at its start")
    static let privilegedGroup = HostCheck(
        .process, "host.gateway.privileged_group", "who is in that group can become root, or read what only root should"
    )
    static let notJailed = HostCheck(
        .process, "host.gateway.not_jailed",
        "whatever the agent starts has all files of its user, and every address that the host reaches")
    static let newPrivileges = HostCheck(
        .process, "host.gateway.new_privileges",
        "a program with a set-user-ID bit gives the agent another user's rights")
    static let noSeccomp = HostCheck(
        .process, "host.gateway.no_seccomp", "a hole in any system call of the kernel is open to the agent")
    static let capabilities = HostCheck(
        .process, "host.gateway.capabilities", "each capability is a piece of root's power over the host")
    static let containerSocket = HostCheck(
        .process, "host.gateway.container_socket",
        "who reaches a container engine's socket can start a container that has the whole host in it, as root")
    static let appArmorUnconfined = HostCheck(
        .process, "host.gateway.apparmor_unconfined", "one wall that the host could have put around it is missing")
    static let coreDumps = HostCheck(
        .process, "host.gateway.core_dumps", "after a crash its memory, secrets included, lies in a file")
    static let environmentSecret = HostCheck(
        .process, "host.gateway.secret_in_environment",
        "every command that the agent starts inherits the variable, and can send it anywhere")
    static let argumentSecret = HostCheck(
        .process, "host.gateway.secret_in_arguments", "every user of the host sees a process's arguments")

    static let process = [
        runsAsRoot, loginUser, privilegedGroup, notJailed, newPrivileges, noSeccomp, capabilities, containerSocket,
        appArmorUnconfined, coreDumps, environmentSecret, argumentSecret,
    ]

    static let listensBeyond = HostCheck(
        .network, "host.listen.non_loopback", "whoever reaches the host over a network can try to be its operator")
    static let extraPort = HostCheck(
        .network, "host.listen.extra_port", "what listens beside the gateway's port may ask nobody for a token")

    static let network = [listensBeyond, extraPort]
}
