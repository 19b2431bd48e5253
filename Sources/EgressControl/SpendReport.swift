package import JailCore
package import JailPolicy

/// What the way out is given to count with, of a jail whose profile limits what it may spend.
package struct SpendSetup: Hashable, Sendable {
    package var rules: SpendRules
    package var prices: PriceTable
    /// Days since the epoch, and what was spent on that one before this process began.
    package var day: Int64
    package var spent: SpendAmount

    package init(rules: SpendRules, prices: PriceTable, day: Int64, spent: SpendAmount) {
        self.rules = rules
        self.prices = prices
        self.day = day
        self.spent = spent
    }

    /// As it travels: ``init(text:)`` gives exactly this.
    package var text: String {
        let json: JSON = [
            "spend": rules.json, "prices": prices.json, "day": .number(day), "spent": spent.json,
        ]
        return json.text()
    }

    package init(text: [UInt8]) throws(JailError) {
        let value: JSON5Value
        do throws(JSON5Error) { value = try JSON5Reader.read(text, file: "spend") } catch {
            throw JailError(.profile, operation: error.position.description, reason: error.reason)
        }
        guard let day = value["day"]?.integer, let spent = value["spent"].flatMap(SpendAmount.init),
            let rules = value["spend"], let prices = value["prices"]
        else { throw JailError(.profile, reason: "what was spent is not said") }
        self.init(rules: try SpendRules(rules), prices: try PriceTable.decode(prices), day: day, spent: spent)
    }
}

/// What the way out has counted so far: the whole of it, and not what is new.
package struct SpendReport: Hashable, Sendable {
    /// Days since the epoch, of UTC.
    package var day: Int64
    /// On that day, with what was spent before this process began.
    package var spent: SpendAmount
    /// The most that what is under way can come to.
    package var reserved: SpendAmount
    /// Limits by which something was denied, since they were last told.
    package var refused: [SpendLimit] = []

    package init(day: Int64, spent: SpendAmount, reserved: SpendAmount) {
        self.day = day
        self.spent = spent
        self.reserved = reserved
    }

    package var text: String {
        let json: JSON = [
            "day": .number(day), "spent": spent.json, "reserved": reserved.json,
            "refused": .strings(refused.map(\.rawValue)),
        ]
        return json.text()
    }

    /// From a process that may have been taken over. nil: it is anything else.
    package init?(text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), case .object(let members) = value.content,
            members.map(\.key) == ["day", "spent", "reserved", "refused"], let day = value["day"]?.integer,
            let spent = value["spent"].flatMap(SpendAmount.init),
            let reserved = value["reserved"].flatMap(SpendAmount.init),
            case .array(let names)? = value["refused"]?.content
        else { return nil }
        self.init(day: day, spent: spent, reserved: reserved)
        for name in names {
            guard case .string(let text) = name.content, let limit = SpendLimit(rawValue: text),
                !refused.contains(limit)
            else { return nil }
            refused.append(limit)
        }
    }
}
