import JailCommands

extension ShellCorpus {
    /// Lines that are refused, and what for.
    static let refused: [(line: String, kind: ShellRefusal.Kind)] = [
        // Nothing to run.
        ("", .empty), (" ", .empty), ("\t \t", .empty), ("''", .empty), ("\"\" x", .empty), ("'' x", .empty),
        // Lists.
        ("npm test; id", .list), ("npm test;id", .list), (";", .list), ("x;", .list), ("x ;", .list), ("x;;y", .list),
        ("x a';'b;c", .list), (";x", .list), ("x\\\\;y", .list),
        // And, background.
        ("x && y", .background), ("x&&y", .background), ("x &", .background), ("x&", .background), ("& x", .background),
        ("x & y", .background), ("x &>f", .background), ("x a&b", .background), ("x 'a'&", .background),
        // Pipes.
        ("x | y", .pipe), ("x|y", .pipe), ("x || y", .pipe), ("x |& y", .pipe), ("|x", .pipe), ("x|", .pipe),
        ("cat a | sh", .pipe),
        // Redirections and here-documents.
        ("x > f", .redirection), ("x >f", .redirection), ("x>f", .redirection), ("x >> f", .redirection),
        ("x < f", .redirection), ("x <f", .redirection), ("x 2>f", .redirection), ("x 2>&1", .redirection),
        ("x >&2", .redirection), ("x <&-", .redirection), ("x <> f", .redirection), ("x >| f", .redirection),
        ("> f", .redirection), ("> f x", .redirection), ("<f x", .redirection), ("x << EOF", .redirection),
        ("x <<-EOF", .redirection), ("x <<'EOF'", .redirection), ("x <<< a", .redirection), ("x <(y)", .redirection),
        ("x >(y)", .redirection), ("x {fd}>f", .brace), ("x 0<f", .redirection), ("x a>b", .redirection),
        ("x << EOF\na\nEOF", .newline), ("x <<EOF\n$(id)\nEOF\n", .newline),
        // Subshells and functions.
        ("(x)", .subshell), ("( x )", .subshell), ("x (y)", .subshell), ("x()", .subshell), ("f() { x; }", .subshell),
        ("x )", .subshell), ("x @(a)", .subshell), ("x +(a)", .subshell), ("x ?(a)", .glob), ("x !(a)", .history),
        ("((1))", .subshell), ("a=(b)", .subshell),
        // Variables.
        ("$x", .variable), ("x $HOME", .variable), ("x ${HOME}", .variable), ("x \"$HOME\"", .variable),
        ("x \"${HOME}\"", .variable), ("x $1", .variable), ("x $@", .variable), ("x \"$@\"", .variable),
        ("x $?", .variable),
        ("x $$", .variable), ("x $!", .variable), ("x $0", .variable), ("x $#", .variable), ("x $-", .variable),
        ("x $", .variable), ("x a$", .variable), ("x $ a", .variable), ("x \"$\"", .variable),
        ("x \"a$ b\"", .variable),
        ("x \"\\\\$HOME\"", .variable), ("x \\\\$HOME", .variable), ("x $_", .variable),
        // IFS.
        ("cat${IFS}/etc/passwd", .variable), ("cat$IFS/etc/passwd", .variable), ("cat$IFS$9/etc/passwd", .variable),
        ("IFS=,", .assignment), ("IFS=,;x=a,b;$x", .list), ("{cat,/etc/passwd}", .brace), ("x$IFS-y", .variable),
        ("X=$'uname\\x20-a'", .variable), ("IFS=_ x", .assignment), ("cat<>/etc/passwd", .redirection),
        // Substitutions.
        ("x $(id)", .variable), ("$(id)", .variable), ("x \"$(id)\"", .variable), ("x `id`", .substitution),
        ("`id`", .substitution), ("x \"`id`\"", .substitution), ("x $((1+1))", .variable), ("x $[1+1]", .variable),
        ("x a`b", .substitution), ("x \"a`\"", .substitution), ("x '\\'`id`", .substitution),
        ("x \\\\`id`", .substitution),
        // bash's own quotes.
        ("x $'a'", .variable), ("x $'\\x41'", .variable), ("x $\"a\"", .variable), ("$'ls'", .variable),
        ("x a$'b'", .variable), ("x $'\\n'", .variable),
        // File names.
        ("x *", .glob), ("x a*", .glob), ("x ?", .glob), ("x [a]", .glob), ("x [", .glob), ("x ]", .glob),
        ("[ -f x ]", .glob),
        ("x /bin/c?t", .glob), ("/???/c?t /etc/passwd", .glob), ("x **", .glob), ("x 'a'*", .glob), ("x [!a]", .glob),
        ("x [[:alpha:]]", .glob), ("[[ a ]]", .glob), ("* x", .glob), ("x a[0]=b", .glob),
        // Braces.
        ("x {a,b}", .brace), ("{ x; }", .brace), ("{ x", .brace), ("x }", .brace), ("x a{b,c}d", .brace),
        ("x {1..3}", .brace),
        ("x {}", .brace), ("find . -exec x {} +", .brace), ("git show HEAD@{1}", .brace), ("x {", .brace),
        // Home directories.
        ("x ~", .tilde), ("x ~/a", .tilde), ("x ~root", .tilde), ("~/x", .tilde), ("x a=~", .tilde),
        ("x a=~/b", .tilde),
        ("x a:~/b", .tilde), ("x --dir=~/b", .tilde), ("x ~+", .tilde), ("x a'='~", .tilde),
        // Comments.
        ("# x", .comment), ("x # y", .comment), ("x #", .comment), ("#", .comment), ("x #a", .comment),
        ("#!/bin/sh", .comment),
        ("x 'a' #b", .comment), ("npm test #; id", .comment),
        // History, and not.
        ("! x", .history), ("!x", .history), ("x !y", .history), ("x a!", .history), ("!!", .history),
        ("! ! x", .history),
        // Quotes that do not end.
        ("x '", .quote), ("x \"", .quote), ("x 'a", .quote), ("x \"a", .quote), ("x 'a\"", .quote), ("x \"a'", .quote),
        ("x 'it's'", .quote), ("x \"a\\\"", .quote), ("x '\\''", .quote), ("'", .quote), ("\"", .quote),
        ("x \"\\", .quote),
        ("x 'a' '", .quote),
        // Backslashes that quote nothing.
        ("x \\", .backslash), ("\\", .backslash), ("x a\\", .backslash), ("x \\\\\\", .backslash),
        ("x \\\u{E9}", .backslash),
        ("x \\\t", .backslash),
        // Assignments.
        ("a=b", .assignment), ("a=b x", .assignment), ("A=B C=D x", .assignment), ("a= x", .assignment),
        ("a+=b x", .assignment),
        ("PATH=/evil npm test", .assignment), ("LD_PRELOAD=/tmp/x.so npm test", .assignment), ("_=x y", .assignment),
        ("a='b' x", .assignment), ("a=\"b c\" x", .assignment), ("=x", .assignment), ("'a=b' x", .assignment),
        ("a\\=b x", .assignment), ("/bin/a=b x", .assignment),
        // The grammar's words.
        ("if x", .reserved), ("then", .reserved), ("while true", .reserved), ("until x", .reserved),
        ("for i in a", .reserved),
        ("case a in", .reserved), ("do x", .reserved), ("done", .reserved), ("fi", .reserved), ("esac", .reserved),
        ("elif x", .reserved), ("else x", .reserved), ("in x", .reserved), ("function f", .reserved),
        ("select x", .reserved),
        ("time x", .reserved), ("coproc x", .reserved), ("'if' x", .reserved), ("i'f' x", .reserved),
        ("\\if x", .reserved),
        // What only a shell does.
        ("eval id", .builtin), ("exec id", .builtin), (". ./x", .builtin), ("source x", .builtin), (": x", .builtin),
        ("exit 0", .builtin), ("export A", .builtin), ("set -x", .builtin), ("trap x", .builtin), ("unset x", .builtin),
        ("shift", .builtin), ("return", .builtin), ("cd /", .builtin), ("alias x", .builtin), ("command id", .builtin),
        ("builtin x", .builtin), ("read x", .builtin), ("umask 0", .builtin), ("ulimit -n", .builtin),
        ("type x", .builtin),
        ("hash x", .builtin), ("wait", .builtin), ("declare x", .builtin), ("local x", .builtin), ("let x", .builtin),
        ("shopt -s x", .builtin), ("enable x", .builtin), ("bg", .builtin), ("fg", .builtin), ("jobs", .builtin),
        ("e'va'l id", .builtin), ("\\eval id", .builtin), ("\"eval\" id", .builtin), ("times", .builtin),
        ("readonly x", .builtin),
        // Line breaks.
        ("x\n", .newline), ("\nx", .newline), ("x\ny", .newline), ("x '\n'", .newline), ("x \"\n\"", .newline),
        ("x \\\ny", .newline), ("x\r\n", .newline), ("x\ry", .newline), ("x a\\\nb", .newline),
        ("npm test\nid", .newline),
        // What nobody sees.
        ("x\0", .hidden), ("x\0y", .hidden), ("x '\0'", .hidden), ("npm test\0; id", .hidden), ("x \u{1B}[2J", .hidden),
        ("x 'a\tb'", .hidden), ("x \"a\tb\"", .hidden), ("x \u{7F}", .hidden), ("x \u{08}", .hidden),
        ("x\u{0B}y", .hidden),
        ("x\u{0C}y", .hidden), ("x '\u{85}'", .hidden), ("x '\u{A0}'", .hidden), ("x\u{A0}y", .hidden),
        ("x '\u{200B}'", .hidden), ("x '\u{202E}a'", .hidden), ("x '\u{2028}'", .hidden), ("x '\u{3000}'", .hidden),
        ("x '\u{FEFF}'", .hidden), ("x\u{2003}y", .hidden), ("x '\u{2066}'", .hidden), ("x '\u{AD}'", .hidden),
        ("x '\u{E000}'", .hidden), ("x '\u{E0041}'", .hidden), ("x '\u{115F}'", .hidden), ("x '\u{FE0F}'", .hidden),
        // Look-alikes outside of quotes.
        ("x é", .foreign), ("nрm test", .foreign), ("x；y", .foreign), ("x｜y", .foreign), ("x ＄HOME", .foreign),
        ("x ‘a’", .foreign), ("x “a”", .foreign), ("x –a", .foreign), ("git push ––force", .foreign),
        ("x −1", .foreign),
        ("ｎｐｍ test", .foreign), ("x a‚b", .foreign), ("x 😀", .foreign), ("x ⁄etc", .foreign), ("х", .foreign),
        ("x ＞f", .foreign), ("x ＆", .foreign),
    ]
}
