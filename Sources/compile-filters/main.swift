// Writes the seccomp filters as Swift tables. Run by the build; see Sources/CompileFilters.

import FilterCompiler
import Glibc

func table(_ name: String, _ make: (FilterCompiler.Architecture) throws(FilterCompiler.CompileError) -> [UInt64]) throws
    -> String
{
    func literal(_ architecture: FilterCompiler.Architecture) throws -> String {
        let words = try make(architecture).map { "0x" + String($0, radix: 16) }
        return "    static let \(name): [UInt64] = [\(words.joined(separator: ","))]\n"
    }
    return "#if arch(x86_64)\n" + (try literal(.x86_64)) + "#elseif arch(arm64)\n" + (try literal(.arm64)) + "#endif\n"
}

do {
    guard CommandLine.arguments.count == 2 else {
        throw FilterCompiler.CompileError(description: "usage: compile-filters FILE")
    }
    var text = "// Made by compile-filters.\nenum CompiledFilters {\n"
    text += try table("strict") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.allow(shell: false, for: architecture)
    }
    text += try table("shell") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.allow(shell: true, for: architecture)
    }
    text += try table("deny") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.deny(for: architecture)
    }
    text += try table("egress") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.egress(for: architecture)
    }
    text += try table("page") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.page(for: architecture)
    }
    text += try table("tracer") { architecture throws(FilterCompiler.CompileError) in
        try FilterCompiler.tracer(for: architecture)
    }
    text += "}\n"
    guard let file = unsafe fopen(CommandLine.arguments[1], "w") else {
        throw FilterCompiler.CompileError(description: "cannot write \(CommandLine.arguments[1])")
    }
    guard unsafe fputs(text, file) >= 0, unsafe fclose(file) == 0 else {
        throw FilterCompiler.CompileError(description: "cannot write \(CommandLine.arguments[1])")
    }
} catch {
    print("compile-filters: \(error)")
    exit(1)
}
