/// Why a command line is not read. What a shell would make of it is not guessed.
package struct ShellRefusal: Error, Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case tooLong, notText, hidden, newline, foreign
        case empty, list, background, pipe, redirection, subshell
        case variable, substitution, glob, brace, tilde, comment, history
        case quote, backslash
        case assignment, reserved, builtin
    }

    package let kind: Kind
    /// Bytes before it.
    package let offset: Int
    /// What is there, where that says more than the kind.
    let found: String

    init(_ kind: Kind, at offset: Int, _ found: String = "") {
        self.kind = kind
        self.offset = offset
        self.found = found
    }

    /// A sentence without its end.
    package var reason: String { "\(what) at byte \(offset + 1): \(Self.rule)" }

    private static let rule = "one command of plain and quoted words is read, and nothing else"

    private var what: String {
        switch kind {
        case .tooLong: "the line is longer than \(CommandVector.mostBytes) bytes"
        case .notText: "what is no UTF-8"
        case .hidden: "the invisible character \(found)"
        case .newline: "a line break"
        case .foreign: "'\(found)', which is not ASCII, outside of quotes"
        case .empty: "no command"
        case .list: "'\(found)', which begins another command,"
        case .background: "'&', which runs in the background or begins another command,"
        case .pipe: "'|', a pipe or another command,"
        case .redirection: "'\(found)', a redirection,"
        case .subshell: "'\(found)', a subshell or a function,"
        case .variable: "'$', which stands for a variable or a substitution,"
        case .substitution: "'`', a command substitution,"
        case .glob: "'\(found)', a pattern of file names,"
        case .brace: "'\(found)', a group or a list of alternatives,"
        case .tilde: "'~', a home directory,"
        case .comment: "'#', a comment,"
        case .history: "'!', which has several meanings,"
        case .quote: "a quote that is not closed"
        case .backslash: "'\\' before what it does not quote"
        case .assignment: "'\(found)', an assignment before the command,"
        case .reserved: "'\(found)', a word of the shell's own grammar,"
        case .builtin: "'\(found)', which only a shell itself can do,"
        }
    }
}
