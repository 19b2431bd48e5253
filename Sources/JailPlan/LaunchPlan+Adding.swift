package import JailCore

extension LaunchPlan {
    /// Shows one program more, and makes it the command: who looks at a jail from inside brings nothing else along.
    ///
    /// - Parameters:
    ///   - source: on the host, cloned with the ids of whoever started it.
    ///   - target: at the top of the jail's tree, where nothing is.
    package mutating func add(program source: String, _ identity: FileIdentity, at target: String) {
        mounts.append(
            .bind(
                BindPlan(
                    source: source, target: target, identity: identity, isDirectory: false, makesTarget: true,
                    attributes: [.readOnly, .noSetuid, .noDevices], purpose: .program, isGranted: true)))
        let rule = LandlockPlan.Rule(path: target, access: .execute)
        access.append(rule)
        landlock?.rules.append(rule)
        commands?.withheld?.rules.append(rule)
        command.path = target
    }
}
