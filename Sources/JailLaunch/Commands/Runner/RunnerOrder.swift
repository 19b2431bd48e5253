internal import JailCommands
internal import JailCore

/// What the supervisor tells the runner, and the runner the keeper of a call. Nothing in it is a path of the host's: a program
/// is named by its rule.
enum RunnerOrder: Equatable {
    /// Three descriptors go with it.
    case run(UInt32, CommandCallOrder)
    case signal(UInt32, UInt8)
    case resize(UInt32, CommandCall.Size)
    case end(UInt32)

    /// Bytes of a packet: the longest call, and what stands around its words.
    static let sizeLimit = CommandVector.mostBytes + CommandVector.mostWords * 8 + 4096

    var number: UInt32 {
        switch self {
        case .run(let number, _), .signal(let number, _), .resize(let number, _), .end(let number): number
        }
    }

    /// nil: it is longer than anything that may be run.
    var bytes: [UInt8]? {
        var fields: SessionFields
        switch self {
        case .run(let number, let call):
            fields = SessionFields("run")
            fields.add("number", String(number))
            fields.add("rule", String(call.rule))
            Self.add(call.terminal, to: &fields)
            fields.add("word", call.words)
        case .signal(let number, let signal):
            fields = SessionFields("signal")
            fields.add("number", String(number))
            fields.add("signal", String(signal))
        case .resize(let number, let size):
            fields = SessionFields("resize")
            fields.add("number", String(number))
            Self.add(size, to: &fields)
        case .end(let number):
            fields = SessionFields("end")
            fields.add("number", String(number))
        }
        return fields.bytes(most: Self.sizeLimit)
    }

    /// nil: no supervisor says that.
    init?(_ bytes: [UInt8]) {
        guard var fields = SessionFields(bytes, most: Self.sizeLimit),
            let number = fields.take("number").flatMap({ UInt32($0) })
        else { return nil }
        switch fields.word {
        case "run":
            guard let rule = fields.take("rule").flatMap({ Int($0) }) else { return nil }
            let size = Self.takeSize(&fields)
            self = .run(number, CommandCallOrder(rule: rule, words: fields.takeAll("word"), terminal: size))
        case "signal":
            guard let signal = fields.take("signal").flatMap({ UInt8($0) }) else { return nil }
            self = .signal(number, signal)
        case "resize":
            guard let size = Self.takeSize(&fields) else { return nil }
            self = .resize(number, size)
        case "end": self = .end(number)
        default: return nil
        }
        // What is read is what was written, in the one way that there is.
        guard fields.isEmpty, self.bytes == bytes else { return nil }
    }

    private static func add(_ size: CommandCall.Size?, to fields: inout SessionFields) {
        fields.add("rows", (size?.rows).map { String($0) })
        fields.add("columns", (size?.columns).map { String($0) })
    }

    private static func takeSize(_ fields: inout SessionFields) -> CommandCall.Size? {
        guard let rows = fields.take("rows").flatMap({ UInt16($0) }),
            let columns = fields.take("columns").flatMap({ UInt16($0) })
        else { return nil }
        return CommandCall.Size(rows: rows, columns: columns)
    }
}

/// A ``CommandCall`` on its way: the rule by its index, and what follows the command's name.
struct CommandCallOrder: Equatable {
    var rule: Int
    var words: [String]
    var terminal: CommandCall.Size?
}
