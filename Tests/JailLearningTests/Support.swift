import JailLearning
import JailPolicy

/// A profile from one text, without parents.
func profile(_ text: String) throws -> Profile {
    let text = text.replacing("'", with: "\"")
    return try ProfileLoader.decode(JSON5Reader.read(Array(text.utf8), file: "p"), name: "p", home: nil)
}

func network(
    _ method: String?, _ host: String, _ path: String? = nil, port: UInt16? = 443, scheme: String? = "https"
) -> Observation.Subject {
    var fields = NetworkSubjectFields(host: host)
    fields.method = method
    fields.path = path
    fields.port = port
    fields.scheme = scheme
    return .network(fields)
}

func denied(_ subjects: Observation.Subject...) -> [Observation] { subjects.map { Observation($0, .denied) } }

/// A host with these files, sockets and programs, and the directories that the files are in.
func host(
    files: [String] = [], sockets: [String] = [], directories: [String] = [], programs: [String] = [],
    homes: [String] = ["/home/ann"]
) -> HostLook {
    var above: Set<String> = Set(directories)
    for path in files + sockets + directories {
        var parts = path.split(separator: "/").dropLast()
        while !parts.isEmpty {
            above.insert("/" + parts.joined(separator: "/"))
            parts = parts.dropLast()
        }
    }
    let known = above
    return HostLook(
        kind: { path in
            if known.contains(path) { return .directory }
            if sockets.contains(path) { return .socket }
            return files.contains(path) ? .file : .missing
        },
        hasProgram: programs.contains,
        boundary: { path, _ in path.isInside("/home/ann/.ssh") ? "it holds credentials" : nil }, homes: homes)
}

extension Suggestions {
    /// What would be added, as it stands in a profile.
    var texts: [String] { ranked.map(\.change.text) }
    var reasons: [String] { ungrantable.map(\.reason) }
}
