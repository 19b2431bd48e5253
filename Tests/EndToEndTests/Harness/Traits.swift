import Foundation
import Testing

/// What a test needs of the machine. Where it is missing the test says so and does not run; with
/// CLAWJAIL_TESTS_MUST_RUN=1 it runs, and fails.
struct Needs: TestTrait, SuiteTrait, TestScoping {
    var what: String
    var isThere: @Sendable () -> Bool

    func prepare(for test: Test) async throws {
        guard !isThere() else { return }
        if Host.mustRun {
            Issue.record("\(what) is needed, and CLAWJAIL_TESTS_MUST_RUN is set")
        } else {
            print("NOT TESTED, for want of \(what): \(test.name)")
        }
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if isThere() { try await function() }
    }
}

extension Trait where Self == Needs {
    static var needsRoot: Needs { Needs(what: "root", isThere: { Host.isRoot }) }

    static func needs(_ programs: String...) -> Needs {
        Needs(what: programs.joined(separator: ", "), isThere: { programs.allSatisfy { Host.path(of: $0) != nil } })
    }

    static func needsFile(_ path: String) -> Needs {
        Needs(what: path, isThere: { FileManager.default.fileExists(atPath: path) })
    }
}
