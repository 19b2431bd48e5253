package import JailCore

/// How much a profile exposes, as a figure from 0.0 to 10.0: what could be done with it if everything that runs in the jail
/// were hostile. No permission lowers it.
package struct Exposure: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        /// `network.reach`
        package let id: String
        /// Points that it has, and the most that it can have, see ``Exposure/points``.
        package let weight: Double
        package let most: Double
        package let reason: String
        /// What lowers it.
        package let remedy: String
    }

    package let items: [Item]

    /// Points of weight that one of the figure is made of: a profile that grants most of what there is to grant has 10.
    private static let points = 7.0

    package init(_ profile: Profile) { items = ExposureItems(profile).all }

    /// 0.0 to 10.0.
    package var score: Double {
        let sum = items.reduce(0) { $0 + $1.weight } / Self.points
        return (min(sum, 10) * 10).rounded() / 10
    }

    package var word: String {
        switch score {
        case ..<2: "tight"
        case ..<4: "narrow"
        case ..<6: "moderate"
        case ..<8: "wide"
        default: "open"
        }
    }

    /// `2.3`
    package var figure: String { Self.tenths(score) }

    static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// What adds to the figure, the most first: weight, item, why, what lowers it.
    package var rows: [[String]] {
        items.filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }.map {
            ["+\(Self.hundredths($0.weight / Self.points))", $0.id, $0.reason, $0.remedy]
        }
    }

    private static func hundredths(_ value: Double) -> String {
        let count = Int((value * 100).rounded())
        return "\(count / 100).\(count % 100 < 10 ? "0" : "")\(count % 100)"
    }

    package func json(_ name: String) -> JSON {
        [
            "version": 1, "profile": .string(name), "score": .string(figure), "word": .string(word),
            "items": .array(
                items.map {
                    [
                        "id": .string($0.id), "weight": .string(Self.hundredths($0.weight / Self.points)),
                        "most": .string(Self.hundredths($0.most / Self.points)), "reason": .string($0.reason),
                        "remedy": .string($0.remedy),
                    ]
                }),
        ]
    }
}
