import JailCgroups
import JailCore
import JailLaunch
import JailPlan
import JailPolicy
import JailView

/// Looks at running jails: the kernel's figures of their groups, and what their supervisors have counted. All supervisors are
/// asked at the same time: one that hangs costs the others nothing.
enum JailLook {
    /// Milliseconds that they have to answer, together.
    private static let patience: Int64 = 1000

    /// - Throws: ``ExitStatus/notThere`` if there is none of that name.
    static func jails(named name: String?) throws(JailError) -> [RunningJail] {
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot look at jails", status: ExitStatus.refused)
        }
        let jails = try RunningJail.all()
        guard let name else { return jails }
        let found = jails.filter { $0.name == name }
        guard !found.isEmpty else { throw JailConnection.notThere(name) }
        return found
    }

    static func samples(of jails: [RunningJail], patience: Int64 = patience) -> [JailSample] {
        let answers = ask(.figures, jails.map(\.name), patience: patience)
        return zip(jails, answers).map { jail, answer in
            var sample = JailSample(
                name: jail.name, profile: jail.profile.printable, started: jail.started, supervisor: jail.supervisor,
                time: System.monotonicNanoseconds())
            sample.command = jail.command.map(\.quotedForShell).joined(separator: " ").printable
            sample.published = jail.published.map(\.printable)
            sample.usage = jail.usage
            sample.isWaiting = jail.waiting != nil
            sample.figures = answer.flatMap { JailFigures(answer: $0) }
            return sample
        }
    }

    /// nil: its supervisor does not answer.
    static func events(of name: String, patience: Int64 = patience) -> [EventLine]? {
        events(of: [name], patience: patience)[0]
    }

    /// The same of several, in their order.
    static func events(of names: [String], patience: Int64 = patience) -> [[EventLine]?] {
        ask(.recent, names, patience: patience).map { $0.flatMap { EventLine.all(answer: $0) } }
    }

    /// What their supervisors say to one request that they answer in a file, in their order; nil: nothing in time, or no.
    static func files(_ request: ControlRequest, of names: [String], patience: Int64 = patience) -> [[UInt8]?] {
        ask(request, names, patience: patience, take: file)
    }

    /// What each has answered, in their order; nil: nothing in time, or it has ended.
    private static func ask(
        _ request: ControlRequest, _ names: [String], patience: Int64,
        take: (SharedDescriptor) -> [UInt8]? = answer
    ) -> [[UInt8]?] {
        var answers = [[UInt8]?](repeating: nil, count: names.count)
        var open: [(index: Int, connection: SharedDescriptor)] = []
        for (index, name) in names.enumerated() {
            guard let address = try? JailAddress(name),
                let connection = try? RunDirectory.connect(to: "\(address.base)/\(address.name)"),
                (try? System.send(connection.borrowed, request.bytes)) != nil
            else { continue }
            open.append((index, connection))
        }
        let end = System.monotonicNanoseconds() + patience * 1_000_000
        while !open.isEmpty {
            let left = (end - System.monotonicNanoseconds()) / 1_000_000
            var entries = open.map { System.PollEntry($0.connection.borrowed, System.PollEvents.readable) }
            guard left >= 0, (try? System.poll(&entries, milliseconds: Int32(clamping: left + 1))) != nil else { break }
            let ready = System.PollResult(entries)
            for (index, connection) in open where ready[connection.borrowed] != nil {
                answers[index] = take(connection)
            }
            open.removeAll { ready[$0.connection.borrowed] != nil }
        }
        return answers
    }

    private static func answer(_ connection: SharedDescriptor) -> [UInt8]? {
        guard let bytes = try? System.receive(connection.borrowed, most: ControlReply.largestText + 2).bytes,
            case .state(let text)? = ControlReply(bytes)
        else { return nil }
        return Array(text.utf8)
    }

    /// Bytes of a file that a supervisor answers with.
    private static let fileLimit = 1 << 20

    private static func file(_ connection: SharedDescriptor) -> [UInt8]? {
        guard
            let (bytes, numbers) = try? System.receive(
                connection.borrowed, most: ControlReply.sizeLimit, descriptors: 1),
            let file = numbers.map({ SharedDescriptor(OwnedDescriptor($0)) }).first, ControlReply(bytes) == .file
        else { return nil }
        return withExtendedLifetime(file) { try? System.readContent(file.borrowed, limit: fileLimit) }
    }
}
