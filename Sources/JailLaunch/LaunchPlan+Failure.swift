internal import JailCore
internal import JailPlan

extension LaunchPlan {
    /// The text of a failed step, made from the plan: what crossed the socket was only numbers.
    func error(for failure: Failure) -> JailError {
        switch failure.stage {
        case .mounts, .pivot: mountError(failure)
        case .exec: commandError(failure.error)
        case .apparmor: JailError(.apparmor, failure.error, path: appArmor?.profile)
        case .landlock:
            JailError(.landlock, failure.error)
        case .selftest: selfTestError(failure)
        default:
            JailError(failure.stage, failure.error)
        }
    }

    private func selfTestError(_ failure: Failure) -> JailError {
        let promise = SelfTest.Promise(rawValue: failure.step)
        let hint = "nothing was started; 'clawjail verify --profile \(profile)' tries everything"
        guard failure.error.call == .check, let promise else {
            return JailError(.selftest, failure.error, detail: promise.map { "\($0)" }, hint: hint)
        }
        return JailError(.selftest, reason: "the jail does not hold: \(promise.broken)", hint: hint)
    }

    private func mountError(_ failure: Failure) -> JailError {
        guard failure.stage == .mounts, mounts.indices.contains(Int(failure.step)) else {
            return JailError(failure.stage, failure.error)
        }
        switch mounts[Int(failure.step)] {
        case .bind(let bind) where [.openTree, .check, .statx].contains(failure.error.call):
            return JailError(.mounts, failure.error, path: bind.source, detail: "bind")
        case .bind(let bind):
            return JailError(.mounts, failure.error, path: bind.target, detail: "bind")
        case .overlay(let overlay):
            return JailError(
                .mounts, failure.error, path: overlay.source, detail: "overlay",
                hint: "nothing may be mounted below it, and the kernel needs 5.11 for an overlay without root")
        case .tmpfs(let tmpfs): return JailError(.mounts, failure.error, path: tmpfs.target, detail: "tmpfs")
        case .proc(let path): return JailError(.mounts, failure.error, path: path, detail: "proc")
        case .devpts(let path): return JailError(.mounts, failure.error, path: path, detail: "devpts")
        case .directory(let path, _), .file(let path, _, _), .symlink(let path, _), .cover(let path, _),
            .script(let path, _), .trust(let path, _, _), .socket(let path), .pin(let path), .canary(let path, _):
            return JailError(.mounts, failure.error, path: path)
        }
    }

    private func commandError(_ error: SystemError) -> JailError {
        if error.call == .chdir {
            return JailError(
                .exec, error, path: command.workingDirectory,
                hint: "set process.workingDirectory to a directory that is visible inside")
        }
        guard error.call == .execve else { return JailError(.exec, error) }
        switch error.errno {
        case .notFound:
            return JailError(
                .exec, error, path: command.path, hint: "the program or its interpreter is not visible inside",
                status: ExitStatus.notFound)
        case .accessDenied, .notPermitted, Errno(8):
            return JailError(
                .exec, error, path: command.path, hint: "it is there and cannot be executed",
                status: ExitStatus.notExecutable)
        default:
            return JailError(.exec, error, path: command.path)
        }
    }
}
