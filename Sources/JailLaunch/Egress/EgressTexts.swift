internal import EgressControl
internal import JailCore
internal import JailPlan

/// What the way out is told of the host's files, which it cannot open.
struct EgressTexts {
    let trust: [UInt8]
    private(set) var resolver: ResolverFiles

    init(_ plan: EgressPlan) throws(JailError) {
        trust =
            try plan.trust.map { (path) throws(JailError) in
                try attempt(.egress, path) { () throws(SystemError) in
                    try System.readFile(path, limit: EgressSetup.trustLimit)
                }
            } ?? []
        resolver = try Self.read()
    }

    /// Looks at resolv.conf and hosts again; true if one of them has changed. By name: they are replaced by rename.
    mutating func refresh() throws(JailError) -> Bool {
        let now = try Self.read()
        defer { resolver = now }
        return now != resolver
    }

    private static func read() throws(JailError) -> ResolverFiles {
        ResolverFiles(resolvConf: try text("/etc/resolv.conf"), hosts: try text("/etc/hosts"))
    }

    /// A host without the file has nothing to say there.
    private static func text(_ path: String) throws(JailError) -> [UInt8] {
        do throws(SystemError) {
            return try System.readFile(path, limit: EgressSetup.resolverLimit)
        } catch {
            if error.errno == .notFound { return [] }
            throw JailError(.egress, error, path: path)
        }
    }

    /// The bundle of the jail: PEM blocks need a line of their own.
    func bundle(with certificate: [UInt8]) -> [UInt8] {
        var bundle = trust
        if let last = bundle.last, last != 0x0A { bundle.append(0x0A) }
        return bundle + certificate
    }
}
