internal import Foundation
internal import JailCore

/// Programs that tests start.
package enum Program {
    package struct Result: Sendable {
        package let status: Int32
        /// Standard output and standard error together.
        package let output: String
    }

    package static func path(of name: String) -> String? {
        (System.environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":")
            .map { "\($0)/\(name)" }
            .first { System.mayAccess($0, 1) }
    }

    /// A program of this package, built beside the tests.
    package static func built(_ name: String) throws -> String {
        let tests = try System.readLink("/proc/self/exe")
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/" + name
    }

    /// Runs a program to its end. A status of 128+N says that signal N ended it.
    package static func run(_ path: String, _ arguments: [String], environment: [String: String]? = nil) throws
        -> Result
    {
        let process = Process()
        let pipe = Foundation.Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        if let environment { process.environment = environment }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let status = process.terminationStatus
        return Result(
            status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
            output: String(decoding: output, as: UTF8.self))
    }
}
