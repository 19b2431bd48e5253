import Foundation
import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

/// The unprivileged user that facts are gathered for if the tests run as root.
let testUser: String? = System.effectiveUserID == 0 ? "nobody" : nil

/// The payload of tests: `nobody` for root, else the caller.
var testPayload: HostIdentity {
    guard System.effectiveUserID == 0 else {
        return HostIdentity(name: "me", uid: System.effectiveUserID, gid: System.effectiveGroupID)
    }
    return (try? Accounts())?.user("nobody")?.identity ?? HostIdentity(name: "nobody", uid: 65534, gid: 65534)
}

var testReach: Reach { Reach(payload: testPayload, isCaller: System.effectiveUserID != 0) }

func profile(_ programs: [String], _ change: (inout Profile) -> Void = { _ in }) -> Profile {
    var profile = Profile(name: "test")
    profile.process.programs = programs.map {
        ProgramRule(name: $0.hasSuffix("?") ? String($0.dropLast()) : $0, mayBeMissing: $0.hasSuffix("?"))
    }
    change(&profile)
    return profile
}

/// A request with the test runner's own surroundings.
func request(
    _ programs: [String], _ command: [String], change: (inout Profile) -> Void = { _ in }
) -> HostRequest {
    var request = HostRequest(profile: profile(programs, change), command: command, workingDirectory: "/usr")
    request.searchPath = "/usr/bin"
    request.home = System.environmentValue("HOME")
    request.user = testUser
    return request
}

/// Resolves programs without the rest of the facts.
func resolve(
    _ programs: [String], _ command: [String], searchPath: String = "/usr/bin", from directory: String = "/",
    homes: [String] = [], change: (inout Profile) -> Void = { _ in }
) throws(JailError) -> ProgramClosure {
    let surroundings = ProgramResolver.Surroundings(
        searchPath: searchPath, workingDirectory: directory, reach: testReach, boundaries: Boundaries(homes: homes))
    var resolver = ProgramResolver(profile: profile(programs, change), surroundings: surroundings, tree: HostTree())
    return try resolver.resolveAll(command: command)
}

/// The error that a call throws; a failed expectation if it throws none.
func failure(_ body: () throws(JailError) -> Void, _ location: SourceLocation = #_sourceLocation) -> JailError? {
    do throws(JailError) {
        try body()
        Issue.record("no error was thrown", sourceLocation: location)
        return nil
    } catch {
        return error
    }
}

/// A directory that everybody may enter, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let name = try System.randomBytes(8).map { String($0, radix: 16) }.joined()
        path = "/tmp/jailhost-\(name)"
        try System.makeDirectory(path, mode: 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a new file, with the directories above it.
    @discardableResult
    func file(_ name: String, _ text: String = "", mode: UInt32 = 0o644) throws -> String {
        try file(name, bytes: Array(text.utf8), mode: mode)
    }

    @discardableResult
    func file(_ name: String, bytes: [UInt8], mode: UInt32 = 0o644) throws -> String {
        let file = path + "/" + name
        try directory(Paths.parent(file))
        let descriptor = try System.open(file, [.writeOnly, .create, .truncate], mode: mode)
        try System.writeAll(descriptor.borrowed, bytes)
        try System.changeMode(file, mode)
        return file
    }

    @discardableResult
    func directory(_ name: String, mode: UInt32 = 0o755) throws -> String {
        let directory = name.hasPrefix("/") ? name : path + "/" + name
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        if !name.hasPrefix("/") { try System.changeMode(directory, mode) }
        return directory
    }

    @discardableResult
    func symlink(_ name: String, to target: String) throws -> String {
        try System.makeSymlink(path + "/" + name, to: target)
        return path + "/" + name
    }
}

/// What a program of the host prints. Nil if the host has no such program.
func output(_ program: String, _ arguments: [String]) throws -> String? {
    guard FileManager.default.isExecutableFile(atPath: program) else { return nil }
    let process = Foundation.Process()
    let pipe = Foundation.Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}

func isThere(_ path: String) -> Bool { (try? System.status(path, followSymlink: true)) != nil }

extension ProgramClosure {
    func shows(_ path: String) -> Bool { files.contains { $0.path == path } }
    func hasSymlink(_ path: String, _ target: String) -> Bool {
        symlinks.contains(VisibleSymlink(path: path, target: target))
    }
}
