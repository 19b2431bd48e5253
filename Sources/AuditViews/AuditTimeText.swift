internal import AuditLog
internal import JailPolicy

/// Times as people write them on a command line, and as tables show them.
enum AuditTimeText {
    static func milliseconds(_ text: String) -> Int64? { AuditTime.milliseconds(text) }

    static func span(_ text: String) -> Int64? { (try? TimeSpan.parse(text)).map { Int64(clamping: $0) } }

    /// `2026-03-01 09:30:00`, in UTC.
    static func shown(_ milliseconds: Int64) -> String {
        let text = AuditTime.text(milliseconds)
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8))"
    }
}
