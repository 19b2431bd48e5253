internal import JailCore
internal import JailPlan
internal import JailPolicy

extension JailDecisions {
    /// What comes of starting a program by name, as execvp(3) looks for it, or by path.
    package func program(_ name: String) -> Decision {
        if name.utf8.contains(UInt8(ascii: "/")) { return access(name, .execute) }
        var refused: Decision?
        for directory in searchPath {
            let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
            guard case .found(let place) = walker.walk(path) else { continue }
            let decision = execute(place, depth: 0)
            if decision.isAllowed { return decision.noting("found as '\(path.printable)'") }
            // Like execvp(3): a later directory may have one that can be executed.
            if refused == nil { refused = decision }
        }
        return refused ?? notInside(name)
    }

    /// PATH of the jail's programs.
    package var searchPath: [String] {
        let path = plan.command.environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
        return path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    }

    private func notInside(_ name: String) -> Decision {
        let rule = try? ProgramRule.parse(name)
        guard let rule, host.find(program: name) != nil else {
            return .denied(
                "no directory of PATH has it inside", .notFound,
                obstacle: "the host has no program of that name either")
        }
        return Decision.denied(
            "no directory of PATH has it inside", .notFound,
            change: ProfileChange(
                key: "process.programs", value: JSON.string(rule.formatted).text(), isElement: true)
        ).noting(ProgramFamilies.warning(name))
    }

    // MARK: One file

    func execute(_ place: Place, depth: Int) -> Decision {
        guard place.kind == .regular else {
            return .denied("it is no regular file", .accessDenied, obstacle: "only a regular file can be executed")
        }
        let mount = tree.mount(covering: place.path)
        guard walker.permits(1, place) else { return closed(place, to: "execute") }
        if mount.attributes.contains(.noExec) { return notExecutable(place, mount) }
        if let decision = kept(place) { return decision }
        guard has(FileRights.execute, place.path) else { return unlisted(place) }
        let allowed = Decision.allowed("it may be executed", by: source(of: place.path, asProgram: true))
        guard let hostPath = place.hostPath else { return allowed }
        return interpreted(by: host.interpreter(of: hostPath), place, allowed, depth: depth)
    }

    /// What execve(2) needs besides: the loader or the interpreter, which must be there and executable as well.
    private func interpreted(
        by interpreter: Interpreter, _ place: Place, _ allowed: Decision, depth: Int
    ) -> Decision {
        switch interpreter {
        case .none: return allowed
        case .unknown:
            return allowed.noting(
                "it has no format that the kernel runs by itself (ENOEXEC); a shell takes it for a script")
        case .loader(let path), .script(let path):
            // BINPRM_MAX_RECURSION
            guard depth < 4 else {
                return .denied("its interpreters go round in a circle", .symlinkLoop, obstacle: systemFile)
            }
            guard case .found(let next) = walker.walk(path) else {
                var decision = missingInterpreter(path)
                decision.source = allowed.source
                return decision
            }
            let inner = execute(next, depth: depth + 1)
            guard !inner.isAllowed else { return allowed.noting("run by '\(path.printable)'") }
            var decision = inner
            decision.reason = "its interpreter '\(path.printable)' cannot be executed: \(inner.reason)"
            return decision
        }
    }

    private func missingInterpreter(_ path: String) -> Decision {
        let reason = "its interpreter '\(path.printable)' is not inside"
        guard isOnHost(path) else { return .denied(reason, .notFound, obstacle: "the host does not have it either") }
        return .denied(
            reason, .notFound,
            change: ProfileChange(key: "process.programs", value: JSON.string(path).text(), isElement: true)
        ).noting(ProgramFamilies.warning(path))
    }

    /// Visible, and no program of the profile: a library, or data.
    private func unlisted(_ place: Place) -> Decision {
        programChange(place, reason: "no rule of Landlock lets it be executed: it is not among the programs")
    }

    private func notExecutable(_ place: Place, _ mount: InsideTree.Mount) -> Decision {
        let reason = "what lies in '\(mount.target.printable)' is not executed (noexec)"
        guard mount.attributes.contains(.readOnly) else {
            return Decision.denied(
                reason, .accessDenied, by: source(of: place.path),
                change: ProfileChange(key: "filesystem.executeWritable", value: "true", isElement: false)
            ).noting("whatever a program writes could be executed then")
        }
        if place.path.isInside("/proc") { return .denied(reason, .accessDenied, obstacle: kernelFile) }
        return programChange(place, reason: reason)
    }

    private func programChange(_ place: Place, reason: String) -> Decision {
        let rule = try? ProgramRule.parse(place.path)
        guard let hostPath = place.hostPath, hostPath == place.path, rule != nil,
            host.interpreter(of: hostPath) != .unknown
        else {
            return .denied(
                reason, .accessDenied, by: source(of: place.path),
                obstacle: "only a program that the host has under the same path can be listed")
        }
        return Decision.denied(
            reason, .accessDenied, by: source(of: place.path),
            change: ProfileChange(key: "process.programs", value: JSON.string(place.path).text(), isElement: true)
        ).noting(ProgramFamilies.warning(place.path))
    }
}
