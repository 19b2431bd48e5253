internal import JailCore
internal import JailPolicy

/// What is shown for commands that run in the jail itself, and which part of it the jail's own command does not get.
extension RootPlanner {
    /// nil: everything that is shown is for everybody.
    ///
    /// - Parameter abi: of Landlock.
    func withheld(_ abi: Int32) throws(JailError) -> WithheldPlan? {
        guard let own = facts.closure.ownFiles else { return nil }
        let others = facts.closure.files.filter { file in !own.contains { $0.gives(file) } }.map(\.path)
        let programs = listedPrograms.filter { program in !own.contains { $0.gives(program) } }.map(\.path)
        guard !programs.isEmpty else { return nil }
        let plan = WithheldPlan(
            abi: abi, programs: programs, files: others.filter { !programs.contains($0) },
            rules: rules(withholding: others, own), scoped: abi >= 6)
        for program in programs {
            guard let rule = plan.rules.first(where: { program.isInside($0.path) }) else { continue }
            throw JailError(
                .plan, path: program,
                reason: "it is run by commands alone, and in '\(rule.path)' the jail's own command sees it as well",
                hint: "show less in '\(rule.path)', or run it in a jail of its own with where: { profile: … }")
        }
        return plan
    }

    /// Listed commands that the jail's own command can execute itself, whatever the rules say.
    var openCommands: [String] {
        guard let own = facts.closure.ownFiles else { return [] }
        return listedPrograms.filter { program in own.contains { $0.gives(program) } }.map(\.path)
    }

    private var listedPrograms: [VisibleFile] {
        var programs: [VisibleFile] = []
        for program in facts.closure.commandPrograms where !programs.contains(where: { $0.path == program.realPath }) {
            programs.append(
                VisibleFile(
                    path: program.realPath, identity: program.identity, isDirectory: false, isExecutable: true))
        }
        return programs
    }

    /// One rule for each thing that stands in the new root, since a rule on `/` would be one on everything.
    private func rules(withholding others: [String], _ own: [VisibleFile]) -> [LandlockPlan.Rule] {
        var paths: [String] = []
        for step in steps {
            switch step {
            case .directory, .symlink, .pin, .socket: continue
            case .file, .script, .trust, .bind, .overlay, .tmpfs, .proc, .devpts, .cover, .canary:
                if !others.contains(step.path) { paths.append(step.path) }
            }
        }
        // What lies in a directory that is shown for commands.
        paths += own.map(\.path).filter { path in others.contains { path.isInside($0) } }
        let executable =
            landlockRules.filter { rule in
                rule.access.isExecuting && !others.contains { rule.path.isInside($0) } && rule.path != "/"
            }.map(\.path) + own.filter(\.isExecutable).map(\.path)
        var rules: [LandlockPlan.Rule] = []
        for path in paths + executable where !rules.contains(where: { $0.path == path }) {
            let isExecutable = executable.contains { path.isInside($0) }
            rules.append(.init(path: path, access: isExecutable ? .execute : .read))
        }
        return rules
    }
}

extension VisibleFile {
    /// To Landlock a file is its inode: under another name it is the same one.
    fileprivate func gives(_ file: VisibleFile) -> Bool {
        file.path == path || identity == file.identity || (isDirectory && file.path.isBelow(path))
    }
}

extension LandlockPlan.Rule.Access {
    fileprivate var isExecuting: Bool { self == .execute || self == .all }
}
