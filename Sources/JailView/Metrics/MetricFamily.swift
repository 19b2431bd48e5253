/// Metrics of one name, in the text format of Prometheus, version 0.0.4.
struct MetricFamily {
    enum Kind: String { case counter, gauge }

    let name: String
    let kind: Kind
    let help: String
    private var samples: [String] = []

    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    mutating func add(_ labels: [(String, String)], _ value: String) {
        let texts = labels.map { "\($0.0)=\"\(Self.escape($0.1))\"" }
        samples.append(name + (texts.isEmpty ? "" : "{\(texts.joined(separator: ","))}") + " \(value)")
    }

    /// Nothing for what nobody has.
    mutating func add(_ labels: [(String, String)], _ value: UInt64?) {
        if let value { add(labels, String(value)) }
    }

    /// A family without samples is left out.
    var text: String {
        samples.isEmpty
            ? "" : "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n" + samples.map { $0 + "\n" }.joined()
    }

    private static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A whole number of parts, as a decimal number of wholes: `(1500, 1000)` is `1.5`.
    static func decimal(_ value: UInt64, parts: UInt64) -> String {
        var digits = String(String(parts + value % parts).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return digits.isEmpty ? "\(value / parts)" : "\(value / parts).\(digits)"
    }
}
