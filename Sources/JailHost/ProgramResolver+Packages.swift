internal import JailCore
internal import JailPlan

extension ProgramResolver {
    /// The tree that a script belongs to: the outermost `node_modules` around it, else the nearest directory above that
    /// has a `package.json`. Nil: only the file itself, also where the tree would be (or hold) a home directory or the like.
    mutating func packageTree(around path: String) throws(JailError) -> HostTree.Resolved? {
        guard let directory = outermostModules(path) ?? nearestPackage(path),
            surroundings.boundaries.mayShowTree(directory, in: &tree)
        else { return nil }
        return try tree.resolve(directory)
    }

    private func outermostModules(_ path: String) -> String? {
        var current = ""
        for component in Paths.components(Paths.parent(path)) {
            current = Paths.join(current, component)
            if component == "node_modules" { return current }
        }
        return nil
    }

    private mutating func nearestPackage(_ path: String) -> String? {
        var directory = Paths.parent(path)
        while directory != "/" {
            if tree.status(Paths.join(directory, "package.json"))?.kind == .regular { return directory }
            directory = Paths.parent(directory)
        }
        return nil
    }

    /// A socket in a tree that is only meant to be read would be a way out: read-only does not stop connect(2).
    func refuseSpecialFiles(in directory: String, of owner: String) throws(JailError) {
        let search = try SpecialFileSearch.search(directory)
        guard let special = search.found else { return }
        throw JailError(
            .host, path: special,
            reason: "\(owner) belongs to a tree that holds \(search.kind), which stays reachable "
                + "although the tree is read-only", hint: "remove it")
    }
}
