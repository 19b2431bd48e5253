internal import Foundation
internal import JailCore
package import Testing

/// What a test needs of the machine. Where it is missing the test says so and does not run; with
/// CLAWJAIL_TESTS_MUST_RUN=1 that is a failure.
package struct Needs: TestTrait, SuiteTrait, TestScoping {
    let what: String
    let isThere: @Sendable () -> Bool

    package func prepare(for test: Test) async throws {
        guard !isThere() else { return }
        if System.environmentValue("CLAWJAIL_TESTS_MUST_RUN") == "1" {
            Issue.record("\(what) is needed, and CLAWJAIL_TESTS_MUST_RUN is set")
        } else {
            print("NOT TESTED, for want of \(what): \(test.name)")
        }
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if isThere() { try await function() }
    }
}

extension Trait where Self == Needs {
    package static var needsRoot: Needs { Needs(what: "root", isThere: { System.effectiveUserID == 0 }) }

    /// Programs on PATH.
    package static func needs(_ programs: String...) -> Needs {
        Needs(what: programs.joined(separator: ", "), isThere: { programs.allSatisfy { Program.path(of: $0) != nil } })
    }

    package static func needsDirectory(_ path: String) -> Needs {
        Needs(what: path, isThere: { (try? System.status(path))?.isDirectory == true })
    }

    package static func needsLandlock(_ abi: Int32) -> Needs {
        Needs(what: "Landlock ABI \(abi)", isThere: { System.landlockABI() >= abi })
    }
}
