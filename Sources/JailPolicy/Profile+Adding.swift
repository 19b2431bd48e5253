/// How rules come together, wherever they come from: a parent profile, a child, or the command line.
extension ProcessRules {
    /// A program that is listed twice must be there if either says so.
    mutating func add(_ rule: ProgramRule) {
        guard let index = programs.firstIndex(where: { $0.name == rule.name }) else {
            programs.append(rule)
            return
        }
        if !rule.mayBeMissing { programs[index].mayBeMissing = false }
    }

    /// Replaces the value of a variable that is set already.
    mutating func set(_ variable: EnvironmentVariable) {
        if let index = environment.firstIndex(where: { $0.name == variable.name }) {
            environment[index] = variable
        } else {
            environment.append(variable)
        }
    }
}

extension FilesystemRules {
    /// A path that may be written already may be read.
    package mutating func addRead(_ rule: BindRule) throws(ValueError) {
        try checkTarget(of: rule)
        if Self.merge(rule, into: &write) || Self.merge(rule, into: &read) { return }
        read.append(rule)
    }

    /// A path that could only be read before may be written now.
    package mutating func addWrite(_ rule: BindRule) throws(ValueError) {
        try checkTarget(of: rule)
        if Self.merge(rule, into: &write) { return }
        var rule = rule
        if let index = read.firstIndex(where: { $0.isSamePlace(as: rule) }) {
            if read[index].allowSpecialFiles { rule.allowSpecialFiles = true }
            read.remove(at: index)
        }
        write.append(rule)
    }

    mutating func setData(_ rule: DataRule) throws(ValueError) {
        if let bind = (read + write).first(where: { $0.target == rule.target }) {
            throw ValueError("must have a place of its own: '\(bind.source.excerpt)' is at '\(bind.target.excerpt)'")
        }
        data = rule
    }

    /// Two sources at one place would hide one of them, and which one would depend on an order nobody sees.
    private func checkTarget(of rule: BindRule) throws(ValueError) {
        if let other = (read + write).first(where: { $0.target == rule.target && $0.source != rule.source }) {
            throw ValueError("must have a place of its own: '\(other.source.excerpt)' is at '\(rule.target.excerpt)'")
        }
        if data?.target == rule.target {
            throw ValueError("must have a place of its own: the jail's data is at '\(rule.target.excerpt)'")
        }
    }

    private static func merge(_ rule: BindRule, into rules: inout [BindRule]) -> Bool {
        guard let index = rules.firstIndex(where: { $0.isSamePlace(as: rule) }) else { return false }
        if rule.allowSpecialFiles { rules[index].allowSpecialFiles = true }
        return true
    }
}

extension BindRule {
    fileprivate func isSamePlace(as other: BindRule) -> Bool { source == other.source && target == other.target }
}

extension NetworkRules {
    mutating func add(_ port: PublishedPort) throws(ValueError) {
        if publish.contains(port) { return }
        // 0.0.0.0 is every address of the host, and so takes the port from all others.
        let everywhere: UInt32 = 0
        let other = publish.first {
            $0.hostPort == port.hostPort
                && ($0.hostAddress == port.hostAddress || $0.hostAddress == everywhere
                    || port.hostAddress == everywhere)
        }
        if let other {
            throw ValueError("publishes port \(port.hostPort) of the host twice, also as \(other.shown)")
        }
        // All of them are one gateway's, which knows one.
        if let token = port.token, let other = publish.compactMap(\.token).first(where: { $0 != token }) {
            throw ValueError("asks for another token than '\(other)', which another port asks for")
        }
        publish.append(port)
    }
}
