internal import JailCore
internal import JailHost
internal import JailPolicy

/// `openclaw.json` with what it includes. Whoever it belongs to may have written anything into it.
struct ConfigurationGathering {
    let view: HostView
    /// The state directory, canonical, and whose it is: files of others that lie elsewhere are not read. With root's rights
    /// a user could otherwise have said what stands in any file of the host's.
    let root: String
    let owner: UInt32

    private static let mostIncludes = 32
    private static let deepest = 8
    /// The configuration's own bound is that of its reader.
    private static let limit = JSON5Reader.sizeLimit

    /// - Parameter elsewhere: OPENCLAW_CONFIG_PATH of its gateway.
    func fill(_ state: inout StateView, _ elsewhere: String?) {
        let usual = "\(root)/openclaw.json"
        let path = elsewhere.flatMap { Paths.isCanonicalText($0) ? $0 : nil } ?? usual
        switch view.look(path) {
        case .missing: return
        case .refused(let errno): return view.cannotLook("'\(path.printable)' (\(errno))")
        case .found(let found):
            if path != usual { state.files.append(StateFile(.configuration, found)) }
        }
        var includes: [FileView] = []
        do throws(Problem) {
            let value = try load(path, depth: 0, &includes)
            state.configuration = ConfigurationView(path: path, value: value)
        } catch {
            if error.isOfRights {
                view.cannotLook("'\(path.printable)' (\(error.text))")
            } else {
                state.configuration = ConfigurationView(path: path, problem: error.text)
            }
        }
        let known = Set(state.files.map(\.view.path))
        state.files += includes.filter { !known.contains($0.path) }.map { StateFile(.include, $0) }
    }

    private struct Problem: Error {
        var text: String
        var isOfRights = false
    }

    private func load(
        _ path: String, depth: Int, _ includes: inout [FileView]
    ) throws(Problem) -> JSON5Value {
        guard let way = view.way(path) else { throw Problem(text: "'\(path.printable)' is not there") }
        guard way.end.kind == .regular else { throw Problem(text: "'\(path.printable)' is no file") }
        guard way.end.uid == owner || (way.links.isEmpty && way.canonical.isInside(root)) else {
            throw Problem(text: "'\(path.printable)' leads to what is another user's")
        }
        guard let content = view.read(way.canonical, limit: Self.limit, isQuiet: true) else {
            throw Problem(text: "it may not be read", isOfRights: true)
        }
        guard !content.isCut else { throw Problem(text: "'\(path.printable)' is longer than 1 MiB") }
        let value: JSON5Value
        do throws(JSON5Error) { value = try JSON5Reader.read(content.bytes, file: path.lastComponent) } catch {
            throw Problem(text: error.description.printable)
        }
        return try resolve(value, Paths.parent(way.canonical), depth, &includes)
    }

    /// Puts in the place of `$include` what it names; what stands beside it counts before that.
    private func resolve(
        _ value: JSON5Value, _ directory: String, _ depth: Int, _ includes: inout [FileView]
    ) throws(Problem) -> JSON5Value {
        switch value.content {
        case .object(let members):
            var own: [JSON5Member] = []
            for member in members where member.key != "$include" {
                var member = member
                member.value = try resolve(member.value, directory, depth, &includes)
                own.append(member)
            }
            let object = JSON5Value(.object(own), at: value.position)
            guard let include = value["$include"] else { return object }
            var result: JSON5Value?
            for name in include.elements?.compactMap(\.text) ?? [include.text].compactMap(\.self) {
                let loaded = try self.include(Paths.absolute(name, from: directory), depth, &includes)
                result = result.map { $0.merged(with: loaded) } ?? loaded
            }
            return result.map { $0.merged(with: object) } ?? object
        case .array(let values):
            var resolved: [JSON5Value] = []
            for value in values { resolved.append(try resolve(value, directory, depth, &includes)) }
            return JSON5Value(.array(resolved), at: value.position)
        default: return value
        }
    }

    private func include(
        _ path: String, _ depth: Int, _ includes: inout [FileView]
    ) throws(Problem) -> JSON5Value {
        guard depth < Self.deepest, includes.count < Self.mostIncludes else {
            throw Problem(text: "it includes more than \(Self.mostIncludes) files, or itself")
        }
        if case .found(let found) = view.look(path) { includes.append(found) }
        return try load(path, depth: depth + 1, &includes)
    }

    /// When a snapshot was made, by its manifest.
    static func time(_ view: HostView, _ path: String) -> Int64? {
        guard let bytes = view.read(path, limit: 1 << 16)?.bytes else { return nil }
        return (try? JSON5Reader.read(bytes, file: ""))?["time"]?.integer
    }
}

extension JSON5Value {
    /// Objects become one, key by key; of everything else the other one counts.
    fileprivate func merged(with other: JSON5Value) -> JSON5Value {
        guard case .object(var members) = content, case .object(let others) = other.content else { return other }
        for member in others {
            if let index = members.firstIndex(where: { $0.key == member.key }) {
                members[index].value = members[index].value.merged(with: member.value)
            } else {
                members.append(member)
            }
        }
        return JSON5Value(.object(members), at: position)
    }
}
