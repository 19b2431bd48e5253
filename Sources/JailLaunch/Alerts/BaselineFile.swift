internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The baseline of a jail on disk: a small file below clawjail's state directory, which no jail can reach.
struct BaselineFile {
    let path: String

    /// Longer than the longest that is written.
    static let sizeLimit = 1 << 20
    private static let version: Int64 = 1

    /// What was learned before, or nothing.
    ///
    /// - Returns: and why there is nothing, of a file that is not what it should be.
    func read(wall: Int64) -> (baseline: Baseline, refusal: String?) {
        let fresh = Baseline(began: wall)
        do throws(SystemError) {
            guard let bytes = try content() else { return (fresh, nil) }
            guard let baseline = Self.parse(bytes) else { return (fresh, "it is not what clawjail writes") }
            return (baseline, nil)
        } catch { return (fresh, "\(error.call.name): \(error.errno)") }
    }

    /// nil: there is none.
    private func content() throws(SystemError) -> [UInt8]? {
        let file: OwnedDescriptor
        do throws(SystemError) {
            file = try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
        } catch {
            if error.errno == .notFound { return nil }
            throw error
        }
        let status = try System.status(of: file.borrowed)
        guard status.kind == .regular, status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw SystemError(.check, .notPermitted)
        }
        return try System.readContent(file.borrowed, limit: Self.sizeLimit)
    }

    /// Whole or not at all. A power cut may lose what was learned since the last time.
    func write(_ baseline: Baseline) throws(JailError) {
        do throws(SystemError) {
            try PrivateDirectory.make(path.parentPath)
            let next = path + ".new"
            // What lies there was left by a supervisor that was killed.
            do throws(SystemError) { try System.unlink(next) } catch {
                guard error.errno == .notFound else { throw error }
            }
            let file = try System.open(next, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try System.writeAll(file.borrowed, Self.json(baseline).text() + "\n")
            try System.rename(next, to: path)
        } catch { throw JailError(.runtime, error, path: path) }
    }

    // MARK: Form

    static func json(_ baseline: Baseline) -> JSON {
        [
            "version": .integer(version), "began": .integer(baseline.began),
            "hosts": .strings(baseline.hosts.sorted()),
            "hours": .array(baseline.hours.map { .number($0) }),
            "volumes": .array(baseline.volumes.map { .number($0) }),
            "hour": .integer(baseline.hour), "volume": .number(baseline.volume),
        ]
    }

    /// nil: anything that ``json(_:)`` does not write.
    static func parse(_ bytes: [UInt8]) -> Baseline? {
        guard let value = try? JSON5Reader.read(bytes, file: ""), case .object(let members) = value.content,
            Set(members.map(\.key)) == ["version", "began", "hosts", "hours", "volumes", "hour", "volume"],
            value["version"]?.integer == version, let began = value["began"]?.integer, began >= 0,
            let hosts = value["hosts"]?.texts, hosts.count <= Baseline.mostHosts,
            hosts.allSatisfy({ (1...Baseline.longestHost).contains($0.utf8.count) && $0 == $0.printable }),
            let hours = value["hours"]?.numbers, hours.count == 24,
            let volumes = value["volumes"]?.numbers, volumes.count <= Baseline.mostVolumes,
            volumes.allSatisfy({ $0 <= Baseline.mostVolume }),
            let hour = value["hour"]?.integer, (-1...Int64.max / 3600).contains(hour),
            let volume = value["volume"]?.integer.flatMap(UInt64.init(exactly:)),
            // Days since the epoch: nothing that was counted a day at a time is more.
            hours.allSatisfy({ $0 < 1 << 32 })
        else { return nil }
        let names = Set(hosts)
        guard names.count == hosts.count else { return nil }
        return Baseline(
            began: began, hosts: names, hours: hours, volumes: volumes, hour: hour, volume: volume)
    }
}

extension JSON5Value {
    fileprivate var texts: [String]? {
        guard let elements else { return nil }
        let texts = elements.compactMap(\.text)
        return texts.count == elements.count ? texts : nil
    }

    fileprivate var numbers: [UInt64]? {
        guard let elements else { return nil }
        let numbers = elements.compactMap { $0.integer.flatMap(UInt64.init(exactly:)) }
        return numbers.count == elements.count ? numbers : nil
    }
}
