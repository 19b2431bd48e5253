internal import JailCore
internal import JailPolicy

/// Files: what the jail has of its own first, then the path itself, then (where enough lie in one directory) that directory.
struct FileSuggester {
    let profile: Profile
    let host: HostLook

    /// Files of one directory that make it a suggestion, read-only.
    static let enough = 3

    private struct Want {
        var observation: Observation
        var path: String
        var access: FileAccess
    }

    /// What would be shown, and how.
    private struct Place: Hashable {
        var path: String
        var isWritable: Bool
        var isSocket = false

        /// Whether all that the other one lets the jail do is part of this.
        func covers(_ other: Place) -> Bool {
            guard !isSocket, !other.isSocket, other.path.isInside(path) else { return false }
            return isWritable || !other.isWritable
        }
    }

    func suggest(_ observations: [Observation]) -> [Found] {
        var found: [Found] = []
        var places: [(Place, [Observation])] = []
        var own: [(OwnPlace, [Observation])] = []
        for observation in observations where observation.isWanted {
            guard case .file(let path, let access) = observation.subject else { continue }
            let want = Want(observation: observation, path: path, access: access)
            // Here a decision function for paths, which knows what the plan shows, is to be asked.
            if let place = OwnPlace(path, access, in: profile) {
                Self.add(observation, to: place, in: &own)
            } else {
                switch self.place(of: want) {
                case .success(let place)?: Self.add(observation, to: place, in: &places)
                case .failure(let refusal)?: found.append(.no([observation], refusal.reason))
                case nil: break
                }
            }
        }
        found += own.map { place, observations in place.found(for: observations, in: profile) }
        return found + uncovered(generalised(places)).map(offer)
    }

    private static func add<Key: Equatable>(
        _ observation: Observation, to key: Key, in list: inout [(Key, [Observation])]
    ) {
        if let index = list.firstIndex(where: { $0.0 == key }) {
            list[index].1.append(observation)
        } else {
            list.append((key, [observation]))
        }
    }

    // MARK: One path

    private struct Refusal: Error { let reason: String }

    /// What has to be shown; nil: a program of that path is another one's to suggest.
    private func place(of want: Want) -> Result<Place, Refusal>? {
        if want.access == .execute, host.kind(want.path) == .file { return nil }
        if profile.shows(want.path, writable: want.access == .write) {
            return .failure(Refusal(reason: "the profile shows it: what refused it are the host's own permissions"))
        }
        switch (host.kind(want.path), want.access) {
        case (.missing, .write): return parent(of: want)
        case (.missing, _): return .failure(Refusal(reason: "it is not on this host either"))
        case (.other, _): return .failure(Refusal(reason: "it is a device or a FIFO of the host's"))
        case (.socket, _): return checked(Place(path: want.path, isWritable: false, isSocket: true))
        case (.directory, _) where !isNarrow(want.path): return .failure(Self.tooWide(want.path))
        default: return checked(Place(path: want.path, isWritable: want.access == .write))
        }
    }

    /// Of a file that was to be made: the directory.
    private func parent(of want: Want) -> Result<Place, Refusal> {
        let directory = want.path.parentPath
        guard host.kind(directory) == .directory else {
            return .failure(Refusal(reason: "neither it nor its directory is on this host"))
        }
        if profile.shows(directory, writable: true) {
            return .failure(
                Refusal(reason: "the profile shows its directory: what refused it are the host's permissions"))
        }
        guard isNarrow(directory) else { return .failure(Self.tooWide(directory)) }
        return checked(Place(path: directory, isWritable: true))
    }

    private func checked(_ place: Place) -> Result<Place, Refusal> {
        if host.homes.contains(place.path) { return .failure(Refusal(reason: "it is a home directory as a whole")) }
        if let reason = host.boundary(place.path, place.isWritable) {
            return .failure(Refusal(reason: "no profile can show it: \(reason)"))
        }
        return .success(place)
    }

    private static func tooWide(_ path: String) -> Refusal {
        Refusal(reason: "'\(path.excerpt)' as a whole is more than is ever suggested: name a directory further down")
    }

    /// Directories with three names and more; with two where people keep things of one kind together.
    private func isNarrow(_ directory: String) -> Bool {
        guard !host.homes.contains(where: { $0.isInside(directory) }) else { return false }
        let names = directory.split(separator: "/")
        return names.count >= 3 || (names.count == 2 && ["opt", "srv", "mnt", "media"].contains(names[0]))
    }

    // MARK: Several

    /// Files that are read in one directory, if there are enough of them.
    private func generalised(_ places: [(Place, [Observation])]) -> [(Place, [Observation])] {
        var result: [(Place, [Observation])] = []
        var used: Set<String> = []
        let files = places.filter { !$0.0.isWritable && !$0.0.isSocket && host.kind($0.0.path) == .file }
        for (place, observations) in places {
            let directory = place.path.parentPath
            let siblings = files.filter { $0.0.path.parentPath == directory }
            let isOne = siblings.contains { $0.0 == place }
            guard isOne, siblings.count >= Self.enough, isNarrow(directory),
                FileRisk.objection(to: directory) == nil,
                siblings.allSatisfy({ FileRisk.objection(to: $0.0.path) == nil }),
                case .success(let whole) = checked(Place(path: directory, isWritable: false))
            else {
                for observation in observations { Self.add(observation, to: place, in: &result) }
                continue
            }
            guard used.insert(directory).inserted else { continue }
            for observation in siblings.flatMap(\.1) { Self.add(observation, to: whole, in: &result) }
        }
        return result
    }

    /// Without what another one shows already; all of them differ.
    private func uncovered(_ places: [(Place, [Observation])]) -> [(Place, [Observation])] {
        var result = places.filter { place in !places.contains { $0.0 != place.0 && $0.0.covers(place.0) } }
        for (place, observations) in places where !result.contains(where: { $0.0 == place }) {
            if let index = result.firstIndex(where: { $0.0.covers(place) }) { result[index].1 += observations }
        }
        return result
    }

    private func offer(_ place: Place, _ observations: [Observation]) -> Found {
        let isWhole = observations.contains {
            if case .file(let path, _) = $0.subject { path != place.path } else { false }
        }
        let text = JSON.string(place.path)
        let value: JSON =
            place.isSocket || place.path.utf8.contains(UInt8(ascii: ":"))
            ? .object([("source", text)] + (place.isSocket ? [("specialFiles", true)] : [])) : text
        let suggestion = Suggestion(
            change: ProfileChange(
                key: place.isWritable ? "filesystem.write" : "filesystem.read", value: value.json5, isElement: true),
            evidence: Evidence(observations),
            risk: FileRisk.text(place.path, isWritable: place.isWritable, isSocket: place.isSocket, isWhole: isWhole),
            advisedAgainst: FileRisk.objection(to: place.path, isSocket: place.isSocket))
        let weight: Weight = place.isWritable ? .write : place.isSocket ? .connect : .read
        return profile.offer(suggestion, weight, for: observations) { extended in
            extended.shows(place.path, writable: place.isWritable)
        }
    }
}

extension Profile {
    /// Whether a host path is shown at its own place.
    func shows(_ path: String, writable: Bool) -> Bool {
        let system = ["/usr", "/bin", "/sbin", "/lib", "/lib64"]
        if !writable, filesystem.root == .host, system.contains(where: path.isInside) { return true }
        let rules = writable ? filesystem.write : filesystem.write + filesystem.read
        return rules.contains { path.isInside($0.target) }
    }
}
