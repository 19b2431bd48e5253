package import JailCore
internal import JailPolicy

/// The record of a run under `learn`: JSON, one object on a line. The first says what ran, the last how it ended, and each
/// between them is one ``Observation``.
///
/// What stands in it comes from programs in a jail: the reader takes nothing but what the writer writes.
package enum ObservationFile {
    package static let version: Int64 = 1
    /// Bytes of a record.
    package static let sizeLimit = 8 << 20
    /// Different observations in a record.
    package static let mostObservations = 4096
    /// Bytes of a path, and of any other text: PATH_MAX.
    package static let textLimit = 4096

    // MARK: Writing

    package static func line(_ start: LearnedRun.Start) -> JSON {
        [
            "version": .integer(version), "learn": .string(start.name), "profile": .string(start.profile),
            "profileFiles": .strings(start.profileFiles), "plan": .string(start.plan),
            "command": .strings(start.command), "started": .string(start.started), "permits": .boolean(start.permits),
        ]
    }

    package static func line(_ end: LearnedRun.End) -> JSON {
        [
            "ended": .string(end.ended), "status": .number(end.status), "leftOut": .number(end.leftOut),
            "incomplete": .boolean(end.isIncomplete),
        ]
    }

    /// The whole record.
    package static func text(_ run: LearnedRun) -> String {
        let lines = [line(run.start)] + run.observations.map(\.json) + (run.end.map { [line($0)] } ?? [])
        return lines.map { $0.text() + "\n" }.joined()
    }

    // MARK: Reading

    /// - Parameter file: as errors name it.
    package static func read(_ bytes: [UInt8], file: String) throws(JailError) -> LearnedRun {
        guard bytes.count <= sizeLimit else {
            throw JailError(.host, path: file, reason: "more than \(sizeLimit >> 20) MiB")
        }
        guard bytes.last == 0x0A else { throw JailError(.host, path: file, reason: "the last line has no end") }
        var run: LearnedRun?
        for (index, line) in bytes.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard let value = try? JSON5Reader.read(Array(line), file: file), take(value, into: &run) else {
                throw JailError(
                    .host, path: file, reason: "line \(index + 1) is none of a record of 'clawjail learn'")
            }
        }
        // There is at least one line, and it was taken.
        guard let run else { throw JailError(.host, path: file, reason: "it is empty") }
        return run
    }

    private static func take(_ value: JSON5Value, into run: inout LearnedRun?) -> Bool {
        guard let known = run else {
            run = start(value).map { LearnedRun(start: $0) }
            return run != nil
        }
        // Nothing comes after the end.
        guard known.end == nil else { return false }
        if value["ended"] != nil {
            run?.end = end(value)
            return run?.end != nil
        }
        guard known.observations.count < mostObservations, let observation = Observation(value) else { return false }
        run?.observations.append(observation)
        return true
    }

    private static func start(_ value: JSON5Value) -> LearnedRun.Start? {
        var members = RecordMembers(value)
        guard members.integer("version") == version, let name = members.text("learn"),
            let profile = members.text("profile"), let files = members.texts("profileFiles"),
            let command = members.texts("command"), let started = members.text("started")
        else { return nil }
        let start = LearnedRun.Start(
            name: name, profile: profile, profileFiles: files, plan: members.text("plan") ?? "", command: command,
            started: started, permits: members.boolean("permits") ?? false)
        return members.isUsedUp ? start : nil
    }

    private static func end(_ value: JSON5Value) -> LearnedRun.End? {
        var members = RecordMembers(value)
        guard let ended = members.text("ended"), let number = members.integer("status"),
            let status = Int32(exactly: number)
        else { return nil }
        let end = LearnedRun.End(
            ended: ended, status: status, leftOut: Int(max(0, members.integer("leftOut") ?? 0)),
            isIncomplete: members.boolean("incomplete") ?? false)
        return members.isUsedUp ? end : nil
    }
}

/// The members of one object, each taken once.
struct RecordMembers {
    private var members: [JSON5Member]
    private var isSound = true

    init(_ value: JSON5Value) {
        guard case .object(let members) = value.content else {
            members = []
            isSound = false
            return
        }
        self.members = members
    }

    /// Nothing is left, and all that was taken was what it must be.
    var isUsedUp: Bool { isSound && members.isEmpty }

    /// null is the same as no member.
    private mutating func take<Value>(_ key: String, _ convert: (JSON5Value) -> Value?) -> Value? {
        guard let index = members.firstIndex(where: { $0.key == key }) else { return nil }
        let value = members.remove(at: index).value
        if case .null = value.content { return nil }
        let converted = convert(value)
        if converted == nil { isSound = false }
        return converted
    }

    mutating func text(_ key: String) -> String? {
        take(key) { $0.text.flatMap { $0.utf8.count <= ObservationFile.textLimit ? $0 : nil } }
    }

    mutating func integer(_ key: String) -> Int64? { take(key) { $0.integer } }

    mutating func boolean(_ key: String) -> Bool? {
        take(key) { if case .boolean(let value) = $0.content { value } else { nil } }
    }

    mutating func texts(_ key: String) -> [String]? {
        take(key) { value in
            guard let elements = value.elements else { return nil }
            let texts = elements.compactMap(\.text)
            return texts.count == elements.count ? texts : nil
        }
    }

    mutating func value<Value: RawRepresentable>(_ key: String, _ type: Value.Type) -> Value?
    where Value.RawValue == String {
        take(key) { $0.text.flatMap(Value.init(rawValue:)) }
    }
}
