internal import JailCore

/// `filesystem.workspace`: a word, or an object that names the directory as well. It says all there is to say: nothing of a
/// parent's stays.
struct WorkspaceParts: Sendable {
    private var mode: WorkspaceAccess?
    private var source: String?
    private var size: UInt64?

    init(_ rules: FilesystemRules) {
        mode = rules.workspace
        source = rules.workspaceSource
        size = rules.reviewSize == FilesystemRules.usualReviewSize ? nil : rules.reviewSize
    }

    private init(mode: WorkspaceAccess? = nil) { self.mode = mode }

    static let table = SectionTable<WorkspaceParts>([
        SectionKey(
            "source",
            read: { (field, parts) throws(JailError) in
                parts.source = try field.parsed { (text) throws(ValueError) in
                    try AbsolutePath.source(text, home: field.home)
                }
            },
            write: { $0.source.map { .string($0) } }),
        SectionKey(
            "mode",
            read: { (field, parts) throws(JailError) in
                let mode = try field.oneOf(WorkspaceAccess.self)
                if mode == .none { throw field.refusal("must say how the directory is shown, not \"none\"") }
                parts.mode = mode
            },
            write: { $0.mode.map { .string($0.rawValue) } }),
        SectionKey(
            "size",
            read: { (field, parts) throws(JailError) in parts.size = try field.size((1 << 20)...UInt64(Int64.max)) },
            write: { $0.size.map { .size($0) } }),
    ])

    static func read(_ field: Field) throws(JailError) -> WorkspaceParts {
        guard case .object = field.value.content else {
            return WorkspaceParts(mode: try field.oneOf(WorkspaceAccess.self))
        }
        var parts = WorkspaceParts()
        try table.read(field, into: &parts)
        guard let mode = parts.mode else { throw field.refusal("needs a 'mode'") }
        guard mode == .review || parts.size == nil else {
            throw field.refusal("has a 'size' only with mode \"review\"")
        }
        return parts
    }

    func apply(to rules: inout FilesystemRules) {
        rules.workspace = mode ?? .none
        rules.workspaceSource = source
        rules.reviewSize = size ?? FilesystemRules.usualReviewSize
    }

    /// The short form where it says the same.
    var json: JSON {
        if source == nil, size == nil { return .string((mode ?? .none).rawValue) }
        return Self.table.json(self)
    }

    var shown: String {
        let word = (mode ?? .none).rawValue
        return word + (source.map { " of \($0)" } ?? "") + (size.map { ", changes up to \(ByteSize.format($0))" } ?? "")
    }
}
