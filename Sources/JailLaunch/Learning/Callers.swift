internal import JailLearning

/// Which programs have connected to which ports. The way out knows what was asked for, and not by whom; where only one program
/// can have, it was that one.
struct Callers {
    private var programs: [UInt16: Set<String>] = [:]
    /// Where programs that know of proxies connect to, whatever port they ask it for.
    private let proxy: UInt16?

    init(proxy: UInt16?) { self.proxy = proxy }

    /// No host: nothing of a record is called like that.
    private static let host = "-"

    /// As a tracer says it.
    static func observation(port: UInt16, program: String) -> Observation {
        var fields = NetworkSubjectFields(host: host)
        fields.port = port
        return Observation(.network(fields), .used, program: program)
    }

    /// False if it is something else.
    mutating func take(_ observation: Observation) -> Bool {
        guard case .network(let fields) = observation.subject, fields.host == Self.host else { return false }
        if let port = fields.port, let program = observation.program { programs[port, default: []].insert(program) }
        return true
    }

    /// nil: none that is known, or one of several.
    func program(port: UInt16?) -> String? {
        let ports = Set([port, proxy].compactMap { $0 })
        let found = ports.reduce(into: Set<String>()) { $0.formUnion(programs[$1] ?? []) }
        return found.count == 1 ? found.first : nil
    }
}
