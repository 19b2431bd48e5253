internal import JailCore

extension LimitRules {
    /// The keys of `limits`.
    static let table = SectionTable<LimitRules>([
        SectionKey(
            "memory", absent: "not limited",
            read: { (field, limits) throws(JailError) in limits.memory = try field.size(memoryRange) },
            write: { $0.memory.map(JSON.size) }),
        SectionKey(
            "swap",
            read: { (field, limits) throws(JailError) in limits.swap = try field.size() },
            write: { .size($0.swap) }),
        SectionKey(
            "processes", absent: "not limited",
            read: { (field, limits) throws(JailError) in limits.processes = try field.integer(processRange) },
            write: { $0.processes.map { .number($0) } }),
        SectionKey(
            "cpus", absent: "not limited",
            read: { (field, limits) throws(JailError) in limits.milliCPUs = try readShare(field) },
            write: { $0.milliCPUs.map(json) }),
        SectionKey(
            "openFiles",
            read: { (field, limits) throws(JailError) in limits.openFiles = try field.integer(16...1_048_576) },
            write: { .number($0.openFiles) }),
        SectionKey(
            "fileSize", absent: "not limited",
            read: { (field, limits) throws(JailError) in limits.fileSize = try field.size(1...UInt64(Int64.max)) },
            write: { $0.fileSize.map(JSON.size) }),
    ])

    /// With less than 4 MiB not even the jail's own init starts.
    static let memoryRange: ClosedRange<UInt64> = (4 << 20)...UInt64(Int64.max)
    /// PID_MAX_LIMIT of linux/threads.h is as far as pids.max counts.
    static let processRange: ClosedRange<UInt64> = 1...4_194_304

    private static func readShare(_ field: Field) throws(JailError) -> UInt64 {
        let text: String
        switch field.value.content {
        // A hexadecimal number is whole; its text is none that the parser takes.
        case .number(let number): text = number.integer.map { String($0) } ?? number.text
        case .string(let string): text = string
        default: throw field.wrongKind(ProcessorShare.expectation)
        }
        return try field.checked { () throws(ValueError) in try ProcessorShare.parse(text) }
    }

    /// A number where it is whole; JSON has no exact fractions.
    private static func json(_ share: UInt64) -> JSON {
        share % 1000 == 0 ? .number(share / 1000) : .string(ProcessorShare.format(share))
    }
}
