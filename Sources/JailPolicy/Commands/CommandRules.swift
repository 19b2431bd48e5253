/// `commands`: what is run for programs of the jail that cannot run it themselves. What no rule names is not run.
package struct CommandRules: Hashable, Sendable {
    package var rules: [CommandRule] = []

    package init() {}

    package var isEmpty: Bool { rules.isEmpty }

    /// What they are called by, each once, in the order of the profile.
    package var names: [String] {
        var names: [String] = []
        for rule in rules where !names.contains(rule.name) { names.append(rule.name) }
        return names
    }
}

/// `commands[]`: one program, and arguments that it may be given.
package struct CommandRule: Hashable, Sendable {
    /// What programs inside call it: the last component of ``program`` unless the profile says otherwise.
    package var name: String
    /// Absolute, where it runs.
    package var program: String
    /// Its SHA-256 in lower-case hexadecimal; nil: whatever is there.
    package var digest: String?
    /// Words that are no flags, in this order.
    package var arguments: [CommandArgument] = []
    package var flags: [CommandFlag] = []
    /// Words that are never passed on, whatever another rule says of the same command.
    package var denied: [String] = []
    package var order = CommandOrder.free
    /// `-ab` is taken for `-a -b`.
    package var combined = false
    /// Absolute, where it runs; nil: that of the jail's own command. Never the caller's.
    package var workingDirectory: String?
    /// Set beside that of the jail's own command. Nothing of the caller's is passed on.
    package var environment: [EnvironmentVariable] = []
    /// Milliseconds until it is killed.
    package var timeout: UInt64 = 600_000
    /// Bytes that it may write to its standard output and standard error together.
    package var outputSize: UInt64 = 10 << 20
    package var place = CommandPlace.jail
    /// A person decides about every call.
    package var asks = false

    package init(name: String, program: String) {
        self.name = name
        self.program = program
    }

    /// The word that every call begins with, `push` of `git push`, where it is written out. Flags come after it.
    package var leading: String? {
        guard let first = arguments.first, case .literal(let word) = first.shape, first.isSingle,
            word.utf8.first != UInt8(ascii: "-")
        else { return nil }
        return word
    }
}

/// `commands[].order`: where flags may stand behind the leading word.
package enum CommandOrder: String, CaseIterable, Sendable {
    /// Anywhere, in any order, up to `--`.
    case free
    /// Before every other word, in the order of the profile.
    case fixed
}

/// `commands[].where`
package enum CommandPlace: Hashable, Sendable {
    /// In the jail that asks.
    case jail
    /// In a jail of its own, of that profile.
    case profile(String)
    /// Outside of any jail, as that user of the host's.
    case host(String)
}

/// `commands[].arguments[]`: words of one shape.
package struct CommandArgument: Hashable, Sendable {
    package var shape: CommandShape
    package var least: UInt64
    package var most: UInt64

    package init(_ shape: CommandShape, least: UInt64 = 1, most: UInt64 = 1) {
        self.shape = shape
        self.least = least
        self.most = most
    }

    package var isSingle: Bool { least == 1 && most == 1 }
}

/// `commands[].flags[]`: a word that begins with a dash, in all its spellings.
package struct CommandFlag: Hashable, Sendable {
    /// `-n`, `--lines`, `-name`.
    package var names: [String]
    /// nil: it has none.
    package var value: CommandShape?
    package var form = CommandFlagForm.separate
    package var isRequired = false
    package var mayRepeat = false

    package init(_ names: [String]) { self.names = names }
}

/// `commands[].flags[].form`: how a flag's value is written.
package enum CommandFlagForm: String, CaseIterable, Sendable {
    /// `-n 5`, `--lines 5`
    case separate
    /// `-n5`, `--lines=5`
    case attached
    case either
}
