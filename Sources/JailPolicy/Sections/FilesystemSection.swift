internal import JailCore

extension FilesystemRules {
    /// The keys of `filesystem`.
    static let table = SectionTable<FilesystemRules>([
        SectionKey(
            "root",
            read: { (field, rules) throws(JailError) in rules.root = try RootKind.read(field) },
            write: { $0.root.json }, show: { .single($0.root.shown) }
        ).holding(RootDirectory.table),
        SectionKey(
            "read",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let rule = try BindRule.read(element)
                    try element.checked { () throws(ValueError) in try rules.addRead(rule) }
                }
            },
            write: { .array($0.read.map(\.json)) }, show: { .list($0.read.map(\.shown)) }
        ).holding(BindParts.table, suffix: "[]"),
        SectionKey(
            "write",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let rule = try BindRule.read(element)
                    try element.checked { () throws(ValueError) in try rules.addWrite(rule) }
                }
            },
            write: { .array($0.write.map(\.json)) }, show: { .list($0.write.map(\.shown)) }
        ).holding(BindParts.table, suffix: "[]"),
        SectionKey(
            "tmp",
            read: { (field, rules) throws(JailError) in rules.tmp = try field.size() },
            write: { .size($0.tmp) }),
        SectionKey(
            "sharedMemory",
            read: { (field, rules) throws(JailError) in rules.sharedMemory = try field.size() },
            write: { .size($0.sharedMemory) }),
        SectionKey(
            "home",
            read: { (field, rules) throws(JailError) in rules.home = try field.size() },
            write: { .size($0.home) }),
        SectionKey(
            "data",
            read: { (field, rules) throws(JailError) in
                let data = try DataRule.read(field)
                try field.checked { () throws(ValueError) in try rules.setData(data) }
            },
            write: { $0.data.map(DataRule.table.json) }, show: { .single($0.data?.shown ?? "none") }
        ).holding(DataRule.table),
        SectionKey(
            "workspace",
            read: { (field, rules) throws(JailError) in try WorkspaceParts.read(field).apply(to: &rules) },
            write: { WorkspaceParts($0).json }, show: { .single(WorkspaceParts($0).shown) }
        ).holding(WorkspaceParts.table),
        SectionKey(
            "executeWritable",
            read: { (field, rules) throws(JailError) in rules.executeWritable = try field.boolean() },
            write: { .boolean($0.executeWritable) }),
    ])
}

extension JSON {
    static func size(_ bytes: UInt64) -> JSON { .string(ByteSize.format(bytes)) }
}

// MARK: root

/// `filesystem.root` as an object.
private struct RootDirectory: Sendable {
    var directory: String?

    static let table = SectionTable<RootDirectory>([
        SectionKey(
            "directory",
            read: { (field, root) throws(JailError) in
                root.directory = try field.parsed { (text) throws(ValueError) in
                    try AbsolutePath.source(text, home: field.home)
                }
            },
            write: { $0.directory.map { .string($0) } })
    ])
}

extension RootKind {
    fileprivate static func read(_ field: Field) throws(JailError) -> RootKind {
        switch field.value.content {
        case .string("minimal"): return .minimal
        case .string("host"): return .host
        case .object:
            var root = RootDirectory()
            try RootDirectory.table.read(field, into: &root)
            guard let directory = root.directory else { throw field.refusal("needs a 'directory'") }
            return .directory(directory)
        case .string(let text): throw field.refusal("must be \(expectation), not \"\(text.excerpt)\"")
        default: throw field.wrongKind(expectation)
        }
    }

    private static let expectation = "\"minimal\", \"host\" or { directory: PATH }"

    fileprivate var json: JSON {
        switch self {
        case .minimal: "minimal"
        case .host: "host"
        case .directory(let path): RootDirectory.table.json(RootDirectory(directory: path))
        }
    }

    fileprivate var shown: String {
        switch self {
        case .minimal: "minimal"
        case .host: "host"
        case .directory(let path): "directory \(path)"
        }
    }
}

// MARK: read and write

/// An element of `filesystem.read` or `filesystem.write` as an object.
private struct BindParts: Sendable {
    var source: String?
    var target: String?
    var specialFiles = false

    static let table = SectionTable<BindParts>([
        SectionKey(
            "source",
            read: { (field, bind) throws(JailError) in bind.source = try field.string() },
            write: { $0.source.map { .string($0) } }),
        SectionKey(
            "target",
            read: { (field, bind) throws(JailError) in bind.target = try field.string() },
            write: { $0.target.map { .string($0) } }),
        SectionKey(
            "specialFiles",
            read: { (field, bind) throws(JailError) in bind.specialFiles = try field.boolean() },
            write: { $0.specialFiles ? true : nil }),
    ])
}

extension BindRule {
    fileprivate static func read(_ field: Field) throws(JailError) -> BindRule {
        guard case .object = field.value.content else {
            return try field.parsed(as: "a path, \"SOURCE:TARGET\", or { source: PATH }") { (text) throws(ValueError) in
                try parse(text, home: field.home)
            }
        }
        var parts = BindParts()
        try BindParts.table.read(field, into: &parts)
        guard let source = parts.source else { throw field.refusal("needs a 'source'") }
        var rule = try field.checked { () throws(ValueError) in
            try make(source: source, target: parts.target, home: field.home)
        }
        rule.allowSpecialFiles = parts.specialFiles
        return rule
    }

    /// The short form where it says the same.
    fileprivate var json: JSON {
        let hasColon = source.utf8.contains(UInt8(ascii: ":")) || target.utf8.contains(UInt8(ascii: ":"))
        guard allowSpecialFiles || hasColon else { return .string(source == target ? source : "\(source):\(target)") }
        return BindParts.table.json(BindParts(source: source, target: target, specialFiles: allowSpecialFiles))
    }
}

// MARK: data

extension DataRule {
    /// The keys of `filesystem.data`.
    fileprivate static let table = SectionTable<DataRule>([
        SectionKey(
            "size",
            read: { (field, data) throws(JailError) in data.size = try field.size((1 << 20)...UInt64(Int64.max)) },
            write: { .size($0.size) }),
        SectionKey(
            "target",
            read: { (field, data) throws(JailError) in data.target = try field.name(AbsolutePath.checkTarget) },
            write: { .string($0.target) }),
        SectionKey(
            "source",
            read: { (field, data) throws(JailError) in
                data.source = try field.parsed { (text) throws(ValueError) in
                    try AbsolutePath.source(text, home: field.home)
                }
            },
            write: { $0.source.map { .string($0) } }),
        SectionKey(
            "mustEnforceSize",
            read: { (field, data) throws(JailError) in data.mustEnforceSize = try field.boolean() },
            write: { .boolean($0.mustEnforceSize) }),
    ])

    fileprivate static func read(_ field: Field) throws(JailError) -> DataRule {
        var data = DataRule(size: 0)
        try table.read(field, into: &data)
        guard data.size > 0 else { throw field.refusal("needs a 'size'") }
        return data
    }

    fileprivate var shown: String {
        "\(ByteSize.format(size)) at \(target)" + (source.map { " from \($0)" } ?? "")
            + (mustEnforceSize ? ", enforced" : "")
    }
}
