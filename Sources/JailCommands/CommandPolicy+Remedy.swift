internal import JailCore
package import JailPolicy

extension CommandPolicy {
    /// The smallest rule that would allow a call, and nothing that was not asked for; nil if none can.
    ///
    /// - Parameter program: where a command is that no rule names; nil: nobody knows.
    package func remedy(for vector: [String], program: (String) -> String?) -> ProfileChange? {
        guard case .deny(let denial) = decide(vector), denial.kind == .unlisted else { return nil }
        let arguments = Array(vector.dropFirst())
        guard arguments.count <= CommandVector.mostInRule else { return nil }
        let known = rules.rules.first { $0.isCalled(vector[0]) }
        let path = known?.program ?? (vector[0].utf8.first == UInt8(ascii: "/") ? vector[0] : program(vector[0]))
        guard let path, (try? CommandRule.checkProgram(path)) != nil else { return nil }
        let usual = path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
        let name = known?.name ?? (vector[0] == path ? usual : vector[0])
        guard (try? CommandRule.checkName(name)) != nil else { return nil }
        var members: [(String, JSON)] = [("program", .string(path))]
        if name != usual { members.append(("name", .string(name))) }
        if let digest = known?.digest { members.append(("sha256", .string(digest))) }
        members.append(("arguments", .strings(arguments)))
        return ProfileChange(key: "commands", value: JSON.object(members).text(), isElement: true)
    }
}
