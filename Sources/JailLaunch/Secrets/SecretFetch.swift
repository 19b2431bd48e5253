internal import Glibc
internal import JailCore
internal import JailPolicy
internal import SecretStore

/// Asks for secrets in a process of its own. Ciphers and readers of JSON leave copies behind that nobody wipes: there they end
/// with the process, and what is cloned from this one has none.
final class SecretFetch {
    enum Result {
        case value(KeptSecret, previous: (value: KeptSecret, end: Int64)?)
        /// Why there is none; `isMissing`: the store has none of that name.
        case fault(String, isMissing: Bool)
    }

    let names: [String]
    private let pid: Int32
    private let pidfd: SharedDescriptor
    private let pipe: SharedDescriptor
    private var buffer: SecretBytes
    private var filled = 0
    private var isReaped = false

    /// Bytes that are said of each secret at most: two values, or a reason.
    private static let mostOfEach = 2 * SecretPlaceholder.valueSizes.upperBound + 64
    private static let mostText = 2000

    /// - Parameter store: the directory of the store.
    init(_ names: [String], _ rules: SecretRules, store: String) throws(SystemError) {
        self.names = names
        buffer = try SecretBytes(count: names.count * Self.mostOfEach + 2)
        let (reading, writing) = try System.pipe().release()
        pipe = SharedDescriptor(OwnedDescriptor(reading))
        let writeEnd = SharedDescriptor(OwnedDescriptor(writing))
        try System.setNonBlocking(pipe.borrowed)
        let parent = System.processID
        pid = try System.fork()
        if pid == 0 { Self.run(names, rules, store, writeEnd.borrowed, parent) }
        // Its end is seen only where nobody else can write.
        _ = writeEnd.take()
        do throws(SystemError) { pidfd = SharedDescriptor(try System.openProcess(pid)) } catch {
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            throw error
        }
    }

    deinit { kill() }

    /// What it was asked for is not wanted any more. A second time does nothing.
    func kill() {
        guard !isReaped else { return }
        isReaped = true
        try? System.kill(pid, SIGKILL)
        _ = try? System.wait(for: pidfd.borrowed)
    }

    // MARK: The process

    private static func run(
        _ names: [String], _ rules: SecretRules, _ store: String, _ output: Descriptor, _ parent: Int32
    ) -> Never {
        do throws(SystemError) {
            try System.setDumpable(false)
            try System.setLimit(.core, soft: 0, hard: 0)
            try System.dieWithParent()
            guard System.parentProcessID == parent else { System.exitNow(1) }
            // Nobody's end goes unseen because it is open here.
            try System.duplicate(output, to: 3, closeOnExec: true)
            try System.closeRange(4, .max)
            try System.setProcessName("secret-fetch")
            let resolver = SecretResolver(
                rules, store: store, credentials: System.environmentValue("CREDENTIALS_DIRECTORY"))
            for (name, result) in resolver.resolve(names, now: System.realtimeSeconds()) {
                guard let index = names.firstIndex(of: name) else { continue }
                try write(UInt8(truncatingIfNeeded: index), result, to: Descriptor(3))
            }
            try System.writeAll(Descriptor(3), [UInt8](arrayLiteral: Tag.end.rawValue))
            System.exitNow(0)
        } catch { System.exitNow(1) }
    }

    private enum Tag: UInt8 { case value = 1, fault, end }

    /// A byte that says what it is, the secret's index, and then of a value: the end of the one before, the lengths of both, and
    /// both; of a fault: whether the secret is missing, the length of the reason, and that.
    private static func write(
        _ index: UInt8, _ result: Swift.Result<ResolvedSecret, JailError>, to output: Descriptor
    ) throws(SystemError) {
        switch result {
        case .success(let secret):
            let previous = secret.previous
            try System.writeAll(
                output,
                [Tag.value.rawValue, index] + bytes(UInt64(bitPattern: previous?.end ?? 0), 8)
                    + bytes(UInt64(secret.current.bytes.count), 2)
                    + bytes(UInt64(previous?.value.bytes.count ?? 0), 2))
            try System.writeAll(output, secret.current.bytes)
            if let previous { try System.writeAll(output, previous.value.bytes) }
        case .failure(let error):
            let text = Array(error.description.utf8.prefix(mostText))
            let isMissing: UInt8 = error.status == ExitStatus.notThere ? 1 : 0
            try System.writeAll(
                output, [Tag.fault.rawValue, index, isMissing] + bytes(UInt64(text.count), 2) + text)
        }
    }

    private static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    // MARK: Hearing

    var pollEntry: System.PollEntry { System.PollEntry(pipe.borrowed, System.PollEvents.readable) }

    /// What has come of it; nil: it is still at it.
    ///
    /// - Throws: it has ended without having said it all.
    func take(_ ready: System.PollResult) throws(SystemError) -> [String: Result]? {
        guard ready[pipe.borrowed] != nil else { return nil }
        while true {
            do throws(SystemError) {
                let count = try System.read(pipe.borrowed, into: &buffer, at: filled)
                filled += count
                if count == 0 { break }
            } catch {
                if error.errno == .wouldBlock { return nil }
                throw error
            }
        }
        kill()
        return try results()
    }

    private func results() throws(SystemError) -> [String: Result] {
        var results: [String: Result] = [:]
        var reader = Reader(end: filled)
        while true {
            switch Tag(rawValue: UInt8(truncatingIfNeeded: try reader.number(buffer, 1))) {
            case .value:
                let name = try name(try reader.number(buffer, 1))
                let end = Int64(bitPattern: try reader.number(buffer, 8))
                let counts = (try reader.number(buffer, 2), try reader.number(buffer, 2))
                let current = try reader.part(buffer, counts.0)
                let previous = counts.1 == 0 ? nil : try reader.part(buffer, counts.1)
                results[name] = .value(current, previous: previous.map { ($0, end) })
            case .fault:
                let name = try name(try reader.number(buffer, 1))
                let isMissing = try reader.number(buffer, 1) == 1
                let text = try reader.part(buffer, try reader.number(buffer, 2))
                let said = unsafe text.bytes.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
                results[name] = .fault(said.printable, isMissing: isMissing)
            case .end where names.allSatisfy({ results[$0] != nil }): return results
            case .end, nil: throw SystemError(.check, .invalid)
            }
        }
    }

    private func name(_ index: UInt64) throws(SystemError) -> String {
        guard index < names.count else { throw SystemError(.check, .invalid) }
        return names[Int(index)]
    }

    private struct Reader {
        let end: Int
        var next = 0

        mutating func part(_ buffer: borrowing SecretBytes, _ count: UInt64) throws(SystemError) -> KeptSecret {
            guard count <= end - next else { throw SystemError(.check, .invalid) }
            defer { next += Int(count) }
            return KeptSecret(try buffer.part(next..<(next + Int(count))))
        }

        mutating func number(_ buffer: borrowing SecretBytes, _ count: Int) throws(SystemError) -> UInt64 {
            guard count <= end - next else { throw SystemError(.check, .invalid) }
            defer { next += count }
            let (start, stop) = (next, next + count)
            return unsafe buffer.withBytes { bytes in
                unsafe bytes[start..<stop].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
        }
    }
}
