package import JailCore

/// The object of `secrets[].source`.
struct SecretOriginParts: Sendable {
    var source: SecretOrigin?
    /// Keys that were there.
    var count = 0

    /// Only for reading: ``SecretOrigin/json`` writes.
    static let table = SectionTable<SecretOriginParts>([
        key("env") { (field) throws(JailError) in .environment(try field.name(Name.checkPassed)) },
        key("file") { (field) throws(JailError) in
            .file(
                try field.parsed { (text) throws(ValueError) in try AbsolutePath.host(text, home: field.home) })
        },
        key("credential") { (field) throws(JailError) in .credential(try field.name(SecretOrigin.checkCredential)) },
        key("exec") { (field) throws(JailError) in .program(try SecretProgram.read(field)) }
            .holding(SecretProgram.table),
    ])

    private static func key(
        _ name: String, _ read: @escaping @Sendable (Field) throws(JailError) -> SecretOrigin
    ) -> SectionKey<SecretOriginParts> {
        SectionKey(
            name,
            read: { (field, parts) throws(JailError) in
                parts.source = try read(field)
                parts.count += 1
            }, write: { _ in nil })
    }
}

extension SecretOrigin {
    private static let storeText = "store"

    static func read(_ field: Field) throws(JailError) -> SecretOrigin {
        if case .string(storeText) = field.value.content { return .store }
        guard case .object = field.value.content else { throw field.wrongKind("\"\(storeText)\" or an object") }
        var parts = SecretOriginParts()
        try SecretOriginParts.table.read(field, into: &parts)
        guard parts.count == 1, let source = parts.source else {
            throw field.refusal("must have one of 'env', 'file', 'credential' and 'exec'")
        }
        return source
    }

    /// One component of a path, and of what a unit may say as it is.
    static func checkCredential(_ text: String) throws(ValueError) {
        guard (1...255).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "."),
            text.utf8.allSatisfy({ Name.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") })
        else { throw ValueError(expected: "the name of a credential such as \"github\"", found: text) }
    }

    package var json: JSON {
        switch self {
        case .store: .string(Self.storeText)
        case .environment(let name): .object([("env", .string(name))])
        case .file(let path): .object([("file", .string(path))])
        case .credential(let name): .object([("credential", .string(name))])
        case .program(let program): .object([("exec", program.json)])
        }
    }
}

extension SecretProgram {
    static let mostTime: UInt64 = 120_000
    static let mostBytes = UInt64(JSON5Reader.sizeLimit)

    /// The keys of `secrets[].source.exec`, as OpenClaw has them.
    static let table = SectionTable<SecretProgram>([
        SectionKey(
            "command",
            read: { (field, program) throws(JailError) in program.command = try field.name(AbsolutePath.check) },
            write: { .string($0.command) }),
        SectionKey(
            "args", read: { (field, program) throws(JailError) in program.arguments = try field.words() },
            write: { $0.arguments.isEmpty ? nil : .strings($0.arguments) }),
        SectionKey(
            "passEnv",
            read: { (field, program) throws(JailError) in
                program.passEnvironment = try field.list { (element) throws(JailError) in
                    try element.name(Name.checkEnvironment)
                }
            },
            write: { $0.passEnvironment.isEmpty ? nil : .strings($0.passEnvironment) }),
        SectionKey(
            "env",
            read: { (field, program) throws(JailError) in
                program.environment = []
                for member in try field.members() {
                    let element = field.member(member.key, member.value)
                    program.environment.append(
                        try element.parsed { (value) throws(ValueError) in
                            try EnvironmentVariable.make(name: member.key, value: value)
                        })
                }
            },
            write: { program in
                program.environment.isEmpty
                    ? nil : .object(program.environment.map { ($0.name, .string($0.value)) })
            }),
        SectionKey(
            "timeoutMs",
            read: { (field, program) throws(JailError) in program.timeout = try field.integer(1...mostTime) },
            write: { .number($0.timeout) }),
        SectionKey(
            "noOutputTimeoutMs", absent: "timeoutMs",
            read: { (field, program) throws(JailError) in program.noOutputTimeout = try field.integer(1...mostTime) },
            write: { $0.noOutputTimeout.map { .number($0) } }),
        SectionKey(
            "maxOutputBytes",
            read: { (field, program) throws(JailError) in program.mostOutput = try field.integer(1...mostBytes) },
            write: { .number($0.mostOutput) }),
        SectionKey(
            "jsonOnly", read: { (field, program) throws(JailError) in program.isJSONOnly = try field.boolean() },
            write: { .boolean($0.isJSONOnly) }),
        SectionKey(
            "provider",
            read: { (field, program) throws(JailError) in program.provider = try field.name(Name.checkProfile) },
            write: { .string($0.provider) }),
        SectionKey(
            "id", absent: "the secret's name",
            read: { (field, program) throws(JailError) in program.id = try field.name(checkID) },
            write: { $0.id.map { .string($0) } }),
    ])

    static func read(_ field: Field) throws(JailError) -> SecretProgram {
        var program = SecretProgram(command: "")
        try table.read(field, into: &program)
        guard !program.command.isEmpty else { throw field.refusal("needs 'command'") }
        return program
    }

    /// As OpenClaw has them: `op/vault/item`, without `.` and `..` between slashes.
    static func checkID(_ text: String) throws(ValueError) {
        func isPlain(_ byte: UInt8) -> Bool { Name.isLetter(byte) || byte.isDigit }
        guard let first = text.utf8.first, isPlain(first), text.utf8.count <= 256,
            text.utf8.allSatisfy({ isPlain($0) || "._:/-".utf8.contains($0) }),
            text.utf8.split(separator: UInt8(ascii: "/")).allSatisfy({
                !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
            })
        else { throw ValueError(expected: "an id such as \"vault/github\"", found: text) }
    }

    package var json: JSON { Self.table.json(self) }
}

extension Field {
    /// Arguments of a program.
    fileprivate func words() throws(JailError) -> [String] {
        try list { (element) throws(JailError) in
            try element.parsed { (text) throws(ValueError) in
                guard !text.utf8.contains(0) else { throw ValueError("must be a text without NUL") }
                return text
            }
        }
    }
}
