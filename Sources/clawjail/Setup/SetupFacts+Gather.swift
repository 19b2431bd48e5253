import JailCore
import JailExport
import JailHost

extension SetupFacts {
    /// Looks, and changes nothing.
    static func gather(_ request: SetupRequest) throws(JailError) -> SetupFacts {
        var facts = SetupFacts()
        facts.account = try account(request.user)
        for path in SetupPlan.paths(for: request) {
            do throws(SystemError) { facts.entries[path] = Entry(try System.status(path)) } catch {
                guard error.errno == .notFound else { throw JailError(.host, error, path: path) }
            }
        }
        for unit in request.units {
            let path = SetupPlan.path(of: unit)
            if facts.entries[path]?.kind == .file { facts.unitTexts[unit.fileName] = try text(path) }
            facts.vendorUnits[unit.fileName] = try vendorUnit(unit)
            if unit.enable, !unit.isTemplate, try SetupWork.isEnabled(unit.fileName) {
                facts.enabled.insert(unit.fileName)
            }
        }
        return facts
    }

    private static func vendorUnit(_ unit: SetupRequest.Unit) throws(JailError) -> String? {
        for path in SetupPlan.vendorPaths(of: unit) {
            do throws(SystemError) {
                let content = try System.readFile(path)
                if !content.starts(with: SystemdUnit.mark.utf8) { return path }
            } catch {
                guard error.errno == .notFound else { throw JailError(.host, error, path: path) }
            }
        }
        return nil
    }

    private static func text(_ path: String) throws(JailError) -> String {
        String(
            decoding: try attempt(.host, path) { () throws(SystemError) in try System.readFile(path) }, as: UTF8.self)
    }

    /// - Throws: what cannot be read might say that it is there.
    static func account(_ name: String) throws(JailError) -> Account? {
        let path = "/etc/passwd"
        let lines = try fields(path)
        guard let line = lines.first(where: { $0.count == 7 && $0[0] == name }) else { return nil }
        guard let uid = UInt32(line[2]), let gid = UInt32(line[3]) else {
            throw JailError(.host, path: path, reason: "the line of '\(name)' has no ids", hint: "mend it with vipw")
        }
        var account = Account(uid: uid, gid: gid, shell: line[6])
        account.isLocked = try fields("/etc/shadow").first { $0.count >= 2 && $0[0] == name }
            .map { $0[1].hasPrefix("!") || $0[1].hasPrefix("*") }
        account.groups = try fields("/etc/group").filter { $0.count == 4 && Self.members($0[3]).contains(name) }.map {
            $0[0]
        }
        return account
    }

    private static func members(_ text: String) -> [String] {
        text.utf8.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) }
    }

    private static func fields(_ path: String) throws(JailError) -> [[String]] {
        let text = try attempt(.host, path) { () throws(SystemError) in try System.readFile(path, limit: 4 << 20) }
        return text.split(separator: 0x0A).map { line in
            line.split(separator: 0x3A, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension SetupFacts.Entry {
    init(_ status: FileStatus) {
        let kind: Kind =
            switch status.kind {
            case .directory: .directory
            case .regular: .file
            case .symlink: .symlink
            default: .other
            }
        self.init(kind, uid: status.uid, mode: status.mode & 0o7777)
    }
}
