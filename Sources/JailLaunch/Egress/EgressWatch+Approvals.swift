internal import EgressControl
internal import JailApprovals
internal import JailCore
internal import JailPolicy

/// What the gateway asks of people, and what it hears of them.
extension EgressWatch {
    /// A waiter is a request of one gateway's.
    enum Asked {
        case request(AskedRequest, waiter: UInt64)
        case withdrawn(waiter: UInt64)
        case allWithdrawn
    }

    func takeAsked() -> [Asked] {
        defer { asked = [] }
        return asked
    }

    /// Where it cannot be told it is not let through: the gateway waits no longer than whoever might have answered.
    func answer(_ waiter: UInt64, _ answer: ApprovalAnswer) {
        guard let line, waiter >> 32 == generation else { return }
        let id = UInt32(truncatingIfNeeded: waiter)
        let verdict =
            switch answer {
            case .granted(let grant): EgressVerdict(id: id, grant: grant)
            case .denied(let denial): EgressVerdict(id: id, grant: nil, reason: denial.text)
            }
        // Its end is heard of by itself.
        _ = try? line.send(verdict)
    }

    func waiter(_ id: UInt32) -> UInt64 { UInt64(generation) << 32 | UInt64(id) }
}
