internal import JailCore

extension ProcessRules {
    /// The keys of `process`.
    static let table = SectionTable<ProcessRules>([
        SectionKey(
            "programs",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() { rules.add(try element.parsed(ProgramRule.parse)) }
            },
            write: { .strings($0.programs.map(\.formatted)) }),
        SectionKey(
            "environment",
            read: { (field, rules) throws(JailError) in
                for member in try field.members() {
                    let element = field.member(member.key, member.value)
                    rules.set(
                        try element.parsed { (value) throws(ValueError) in
                            try EnvironmentVariable.make(name: member.key, value: value)
                        })
                }
            },
            write: { .object($0.environment.map { ($0.name, .string($0.value)) }) }),
        SectionKey(
            "passEnvironment",
            read: { (field, rules) throws(JailError) in
                for name in try field.list({ (element) throws(JailError) in try element.name(Name.checkPassed) })
                where !rules.passEnvironment.contains(name) { rules.passEnvironment.append(name) }
            },
            write: { .strings($0.passEnvironment) }),
        SectionKey(
            "user", absent: "the caller",
            read: { (field, rules) throws(JailError) in rules.user = try readUser(field) },
            write: { $0.user.map { .string($0) } }),
        SectionKey("inside", InsideIdentity.table, get: { $0.inside }, set: { $0.inside = $1 }),
        SectionKey(
            "workingDirectory", absent: "/data, else the workspace, else /",
            read: { (field, rules) throws(JailError) in
                rules.workingDirectory = try field.name(AbsolutePath.check)
            },
            write: { $0.workingDirectory.map { .string($0) } }),
        SectionKey(
            "hostName",
            read: { (field, rules) throws(JailError) in rules.hostName = try field.name(Name.checkHostName) },
            write: { .string($0.hostName) }),
        SectionKey(
            "shell",
            read: { (field, rules) throws(JailError) in rules.shell = try field.boolean() },
            write: { .boolean($0.shell) }),
        SectionKey(
            "systemCalls",
            read: { (field, rules) throws(JailError) in
                for name in try field.list({ (element) throws(JailError) in try element.name(Name.checkSystemCall) })
                where !rules.systemCalls.contains(name) { rules.systemCalls.append(name) }
            },
            write: { .strings($0.systemCalls) }),
        SectionKey(
            "apparmor", absent: "the one that clawjail runs in, if any",
            read: { (field, rules) throws(JailError) in rules.appArmor = try field.name(Name.checkAppArmor) },
            write: { $0.appArmor.map { .string($0) } }),
        SectionKey(
            "selfTest",
            read: { (field, rules) throws(JailError) in rules.selfTest = try field.boolean() },
            write: { .boolean($0.selfTest) }),
        SectionKey(
            "secretProvider",
            read: { (field, rules) throws(JailError) in rules.secretProvider = try field.boolean() },
            write: { .boolean($0.secretProvider) }),
        SectionKey(
            "stopGrace",
            read: { (field, rules) throws(JailError) in
                rules.stopGrace = try field.parsed(as: "a time such as \"30s\"", TimeSpan.parse)
                guard rules.stopGrace <= longestGrace else { throw field.refusal("must be at most \"1h\"") }
            },
            write: { .string(TimeSpan.format($0.stopGrace)) }),
    ])

    /// In milliseconds. Nobody waits longer for a stop, and no timer has to count further.
    private static let longestGrace: UInt64 = 3_600_000

    /// A name, or a number with or without quotes.
    private static func readUser(_ field: Field) throws(JailError) -> String {
        guard case .number(let number) = field.value.content else {
            return try field.parsed(as: "a user of the host, by name or number") { (text) throws(ValueError) in
                try Name.checkHostUser(text)
                return text
            }
        }
        let text = number.integer.map { String($0) } ?? number.text
        try field.checked { () throws(ValueError) in try Name.checkHostUser(text) }
        return text
    }
}

extension InsideIdentity {
    /// The keys of `process.inside`.
    static let table = SectionTable<InsideIdentity>([
        SectionKey(
            "user",
            read: { (field, inside) throws(JailError) in inside.user = try field.name(Name.checkInsideUser) },
            write: { .string($0.user) }),
        SectionKey(
            "uid",
            read: { (field, inside) throws(JailError) in inside.uid = UInt32(try field.integer(ids)) },
            write: { .number($0.uid) }),
        SectionKey(
            "gid",
            read: { (field, inside) throws(JailError) in inside.gid = UInt32(try field.integer(ids)) },
            write: { .number($0.gid) }),
        SectionKey(
            "home",
            read: { (field, inside) throws(JailError) in inside.home = try field.name(AbsolutePath.checkTarget) },
            write: { .string($0.home) }),
    ])

    /// 0 is root; 65534 and 65535 stand for ids that are not mapped, and for none.
    private static let ids: ClosedRange<UInt64> = 1...65533
}
