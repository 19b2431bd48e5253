package import EgressControl
package import JailCore
package import JailPlan
package import JailPolicy

/// What a jail has spent, by the day, in a file that outlives it. The supervisor's: the process that counts may be killed,
/// and what is counted there is told here before it is spent.
///
/// What is reserved is written down as spent until it is known to be less. A power cut can lose the last moments.
package struct SpendLedger {
    package struct Day: Equatable, Sendable {
        /// Since the epoch, of UTC.
        package var day: Int64
        package var spent: SpendAmount

        package init(day: Int64, spent: SpendAmount) {
            self.day = day
            self.spent = spent
        }
    }

    private let path: String
    private let plan: SpendPlan
    private let jail: String
    /// Ascending.
    private(set) var days: [Day]
    /// For what is under way; a part of the last day in the file, and not of ``days``.
    private var reserved = SpendAmount.nothing

    /// Days that are kept.
    package static let mostDays = 31
    package static let sizeLimit = 64 << 10

    /// Reads what there is. What cannot be read refuses the launch: a limit that has forgotten what was spent is none.
    package init(_ plan: SpendPlan, jail: String, today: Int64) throws(JailError) {
        self.plan = plan
        self.jail = jail
        path = plan.ledger
        let directory = path.parentPath
        try attempt(.egress, directory) { () throws(SystemError) in try PrivateDirectory.make(directory) }
        days = try Self.read(path, owner: System.effectiveUserID)?.days ?? []
        if days.last.map({ $0.day < today }) ?? true { days.append(Day(day: today, spent: .nothing)) }
        // What cannot be written down later must not be spent.
        trim()
        let ledger = self
        try attempt(.egress, path) { () throws(SystemError) in try ledger.save() }
    }

    /// What a gateway that begins is told.
    package var setup: SpendSetup {
        SpendSetup(rules: plan.rules, prices: plan.prices, day: current.day, spent: current.spent)
    }

    package var current: Day { days.last ?? Day(day: 0, spent: .nothing) }

    /// The process that counted is gone: what it had reserved may have been spent.
    package mutating func settle() {
        days[days.count - 1].spent = current.spent + reserved
        reserved = .nothing
    }

    /// Takes what the process says that it has counted.
    ///
    /// - Returns: false: it is less than it has said before, or of another time; it is not to be trusted any further.
    package mutating func take(_ report: SpendReport, today: Int64) -> Bool {
        // It looks at the clock a moment before.
        guard report.day >= current.day, report.day <= max(current.day, today + 1) else { return false }
        if report.day > current.day {
            days.append(Day(day: report.day, spent: .nothing))
            trim()
        }
        guard report.spent.covers(current.spent) else { return false }
        days[days.count - 1].spent = report.spent
        reserved = report.reserved
        return true
    }

    private mutating func trim() { days = Array(days.suffix(Self.mostDays)) }

    // MARK: The file

    /// Whole or not at all.
    package func save() throws(SystemError) {
        let next = path + ".new"
        do throws(SystemError) { try System.unlink(next) } catch { guard error.errno == .notFound else { throw error } }
        let file = try System.open(next, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        try System.writeAll(file.borrowed, Array(text.utf8))
        try System.rename(next, to: path)
    }

    private var text: String {
        let all = days.map { day in
            (day.day == current.day ? day.spent + reserved : day.spent, day.day)
        }
        let json: JSON = [
            "version": 1, "jail": .string(jail), "limits": plan.rules.limits,
            "days": .array(all.map { ["day": .number($1), "spent": $0.json] }),
        ]
        return json.text() + "\n"
    }

    /// nil: there is none. As strictly as a profile: it is a file of one's own, and says what it should.
    package static func read(_ path: String, owner: UInt32) throws(JailError) -> SpendRecord? {
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try System.open(path, [.readOnly, .nonBlocking, .noFollow])
            let status = try System.status(of: file.borrowed)
            guard status.kind == .regular, status.uid == owner, status.permissions & 0o077 == 0 else {
                throw SystemError(.check, .notPermitted)
            }
            bytes = try System.readAll(file.borrowed, limit: sizeLimit)
        } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.egress, error, path: path, hint: "it must be a file of yours alone")
        }
        guard let record = SpendRecord(text: bytes) else {
            throw JailError(
                .egress, path: path, reason: "this does not say what was spent",
                hint: "look at it; without it the day begins with nothing spent")
        }
        return record
    }
}

/// The content of a ledger's file.
package struct SpendRecord: Equatable, Sendable {
    package var jail: String
    /// As the jail had them when it ran last.
    package var limits = SpendRules()
    /// Ascending.
    package var days: [SpendLedger.Day] = []

    package init?(text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), value["version"]?.integer == 1,
            case .string(let jail)? = value["jail"]?.content, let limits = value["limits"],
            case .array(let days)? = value["days"]?.content
        else { return nil }
        self.jail = jail
        for limit in SpendLimit.allCases {
            guard let most = limits[limit.rawValue]?.integer else { continue }
            guard most >= 0 else { return nil }
            self.limits.set(limit, UInt64(most))
        }
        for value in days {
            guard let day = value["day"]?.integer, let spent = value["spent"].flatMap(SpendAmount.init),
                self.days.last.map({ $0.day < day }) ?? true
            else { return nil }
            self.days.append(SpendLedger.Day(day: day, spent: spent))
        }
    }
}

extension SpendRules {
    /// Plain numbers, of those that there are.
    fileprivate var limits: JSON {
        .object(SpendLimit.allCases.compactMap { limit in limit.most(self).map { (limit.rawValue, .number($0)) } })
    }

    fileprivate mutating func set(_ limit: SpendLimit, _ most: UInt64) {
        switch limit {
        case .perDay: perDay = most
        case .tokensPerDay: tokensPerDay = most
        case .requestsPerDay: requestsPerDay = most
        }
    }
}
