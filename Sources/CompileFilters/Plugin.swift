import Foundation
import PackagePlugin

/// Compiles the seccomp filters at build time, so that a launch only loads a table (0.06 ms against 1–1.4 ms).
@main
struct CompileFilters: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let output = context.pluginWorkDirectoryURL.appending(path: "CompiledFilters.swift")
        return [
            .buildCommand(
                displayName: "Compiling the seccomp filters",
                executable: try context.tool(named: "compile-filters").url,
                arguments: [output.path(percentEncoded: false)],
                outputFiles: [output])
        ]
    }
}
