import CLinux
import JailCore
import JailPolicy
import Testing

@testable import JailNamespaces
@testable import JailPlan

/// Processes with one thread, in which a mechanism can be tried for real. To be used in exit tests, where nothing else
/// runs that a fork would tear.
enum Child {
    struct Failed: Error, CustomStringConvertible { let description: String }

    /// Runs the body in a child; what it throws becomes an issue of the test.
    static func run(_ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void) throws {
        let report = try System.pipe().release()
        let child = try System.fork()
        if child == 0 {
            System.close(report.readEnd)
            live(report.writeEnd, body)
        }
        System.close(report.writeEnd)
        try judge(OwnedDescriptor(report.readEnd), location)
        _ = try System.wait(forChild: child)
    }

    /// The same in namespaces of its own, as the jail's clone is made, with one id mapped.
    static func run(
        in namespaces: NamespaceFlags, as identity: IdentityPlan = .caller, prepare: () throws -> Void = {},
        _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) throws {
        try run(location) {
            try prepare()
            let report = try System.pipe().release()
            let start = try System.pipe().release()
            let child = try System.clone(namespaces, into: nil).takePID()
            if child == 0 {
                System.close(start.writeEnd)
                // Until the maps are written.
                _ = try System.readAll(Descriptor(start.readEnd))
                live(report.writeEnd, body)
            }
            System.close(report.writeEnd)
            do { try identity.writeMaps(of: child) } catch {
                try System.kill(child, 9)
                throw error
            }
            System.close(start.writeEnd)
            let text = String(decoding: try System.readAll(Descriptor(report.readEnd)), as: UTF8.self)
            _ = try System.wait(forChild: child)
            guard text == "ok" else { throw Failed(description: text.isEmpty ? "it died" : text) }
        }
    }

    private static func live(_ report: Int32, _ body: () throws -> Void) -> Never {
        do {
            try body()
            try System.writeAll(Descriptor(report), "ok")
        } catch {
            try? System.writeAll(Descriptor(report), "\(error)")
        }
        System.exitNow(0)
    }

    private static func judge(_ report: consuming OwnedDescriptor, _ location: SourceLocation) throws {
        let text = String(decoding: try System.readAll(report.borrowed), as: UTF8.self)
        // As an expectation: of an issue recorded in an exit test only the fact arrives.
        #expect(text == "ok", sourceLocation: location)
    }
}

extension Cloned {
    consuming func takePID() -> Int32 { pid }
}

extension IdentityPlan {
    /// The caller's own ids, as 1000 inside.
    static var caller: IdentityPlan {
        IdentityPlan(
            host: HostIdentity(name: "", uid: System.effectiveUserID, gid: System.effectiveGroupID),
            inside: InsideIdentity(), startedByRoot: System.effectiveUserID == 0, groups: .notNeeded)
    }
}

/// In a child there is no test to record an issue for: what is not so is thrown.
func require(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line) throws {
    if !condition { throw Child.Failed(description: "line \(line): \(text())") }
}

func requireEqual<Value: Equatable>(_ found: Value, _ wanted: Value, line: Int = #line) throws {
    try require(found == wanted, "found \(found), wanted \(wanted)", line: line)
}

/// The error code that a call must fail with.
func requireFailure(_ wanted: Errno, line: Int = #line, _ body: () throws(SystemError) -> Void) throws {
    do throws(SystemError) { try body() } catch {
        try requireEqual(error.errno, wanted, line: line)
        return
    }
    throw Child.Failed(description: "line \(line): it succeeded, and should fail with \(wanted)")
}

func text(_ path: String) throws -> String { String(decoding: try System.readFile(path), as: UTF8.self) }

/// A line of /proc/self/status.
func processStatus(_ key: String) throws -> String {
    let line = try text("/proc/self/status").split(separator: "\n").first { $0.hasPrefix(key + ":") }
    return line.map { String($0.dropFirst(key.utf8.count + 1).drop { $0 == "\t" || $0 == " " }) } ?? "missing"
}
