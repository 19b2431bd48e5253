internal import Foundation
internal import JailCore

/// A directory that is gone when the test ends.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init(mode: UInt32 = 0o700) throws {
        let name = try System.randomBytes(8).map { String($0, radix: 16) }.joined()
        path = "/tmp/clawjail-test-\(name)"
        try System.makeDirectory(path, mode: mode)
        try System.changeMode(path, mode)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes a file and returns its path.
    @discardableResult
    package func file(_ name: String, _ text: String = "") throws -> String {
        let file = try System.open("\(path)/\(name)", [.writeOnly, .create, .truncate], mode: 0o644)
        try System.writeAll(file.borrowed, text)
        return "\(path)/\(name)"
    }

    @discardableResult
    package func directory(_ name: String, mode: UInt32 = 0o755) throws -> String {
        try System.makeDirectory("\(path)/\(name)", mode: mode)
        return "\(path)/\(name)"
    }

    /// What is in it, or in a directory below it, sorted.
    package func names(_ name: String = ".") throws -> [String] {
        let opened = try System.open("\(path)/\(name)", [.readOnly, .directory])
        return try System.names(in: opened.borrowed).map(\.name).sorted()
    }

    package func read(_ name: String) throws -> String {
        String(decoding: try System.readFile("\(path)/\(name)"), as: UTF8.self)
    }
}
