package import JailCore
package import JailDecision
package import JailPlan
internal import JailPolicy

/// The host as decisions look at it, each file at the moment it is asked about.
package struct HostSight: HostView {
    package let keptGroups: [UInt32]
    private let boundaries: Boundaries
    private let searchPath: [String]

    /// - Parameters:
    ///   - request: that the plan was made for.
    ///   - plan: whose groups could not be taken away, if it leaves that out.
    package init(_ request: HostRequest, for plan: LaunchPlan) throws(JailError) {
        var facts = HostFacts()
        facts.caller = try CallerFacts.current()
        facts.payload = plan.identity.host
        facts.stateDirectory = plan.stateDirectory
        facts.runtimeDirectory = plan.runtimeDirectory
        var tree = HostTree()
        boundaries = try facts.boundaries(request, try Accounts(), &tree)
        searchPath = ProgramResolver.Surroundings.directories(request.searchPath)
        let keeps = plan.leftOut.contains { $0.protection == .groups }
        keptGroups = keeps ? facts.caller.supplementaryGroups : []
    }

    package func look(_ path: String) -> HostEntry {
        do throws(SystemError) {
            let status = try System.status(path)
            if status.kind == .symlink { return .symlink(try System.readLink(path)) }
            var file = HostFile(
                identity: status.identity, kind: status.kind, mode: status.permissions, uid: status.uid,
                gid: status.gid)
            file.hasList = System.hasAttribute("system.posix_acl_access", path)
            return .file(file)
        } catch {
            return error.errno == .notFound || error.errno == .notDirectory ? .missing : .refused
        }
    }

    package func refusal(of path: String, writable: Bool) -> String? {
        if let reason = boundaries.refusal(of: path, writable: writable) { return reason }
        var tree = HostTree()
        guard let place = try? boundaries.credentials(in: path, &tree) else { return nil }
        return "it holds '\(place.printable)', which is a place of credentials or policy"
    }

    package func interpreter(of path: String) -> Interpreter {
        guard let file = try? RandomAccess(path), let start = try? file.readSome(at: 0, most: 4096) else {
            return .unknown
        }
        if let shebang = Shebang(start.bytes) { return .script(shebang.interpreter) }
        guard let elf = try? ElfFile(file, start: start) else { return .unknown }
        return elf.interpreter.map { .loader($0) } ?? .none
    }

    package func find(program: String) -> String? {
        searchPath.map { Paths.join($0, program) }.first { path in
            guard let status = try? System.status(path, followSymlink: true) else { return false }
            return status.kind == .regular && status.mode & 0o111 != 0
        }
    }
}
