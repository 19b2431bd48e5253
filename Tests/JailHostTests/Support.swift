import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

/// The name of the unprivileged user that facts are gathered for if the tests run as root.
let testUser: String? = System.effectiveUserID == 0 ? "nobody" : nil

func request(_ programs: [String], _ command: [String], change: (inout Profile) -> Void = { _ in }) -> HostRequest {
    var profile = Profile(name: "test")
    profile.process.programs = programs.map {
        ProgramRule(name: $0.hasSuffix("?") ? String($0.dropLast()) : $0, mayBeMissing: $0.hasSuffix("?"))
    }
    change(&profile)
    var request = HostRequest(profile: profile, command: command, workingDirectory: "/usr")
    request.searchPath = System.environmentValue("PATH")
    request.home = System.environmentValue("HOME")
    request.user = testUser
    return request
}

func gather(
    _ programs: [String], _ command: [String], change: (inout Profile) -> Void = { _ in }
) throws(JailError) -> HostFacts {
    try HostFacts.gather(request(programs, command, change: change))
}
