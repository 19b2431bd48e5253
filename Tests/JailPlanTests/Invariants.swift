import JailCore
import JailPlan
import JailPolicy
import Testing

/// What must hold for every plan, whatever profile and host it is made from.
func expectInvariants(_ plan: LaunchPlan, _ profile: Profile, _ location: SourceLocation = #_sourceLocation) {
    expectOrder(plan, location)
    expectAttributes(plan, profile, location)
    expectNothingMadeOnTheHost(plan, location)
    expectWallsAroundWrites(plan, profile, location)
}

/// The path's directories, the nearest first, without `/`.
func directories(above path: String) -> [String] {
    let parent = path.parentPath
    return parent == "/" ? [] : [parent] + directories(above: parent)
}

private func expectOrder(_ plan: LaunchPlan, _ location: SourceLocation) {
    for (index, step) in plan.mounts.enumerated() {
        #expect(step.path.hasPrefix("/") && step.path != "/", sourceLocation: location)
        switch step {
        case .bind, .tmpfs, .proc, .devpts, .cover:
            // What is mounted later on a directory above would hide this one, unless it shows the same.
            for other in plan.mounts[(index + 1)...] where isMount(other) && !shows(other, step) {
                #expect(!step.path.isBelow(other.path), "\(step.path) before \(other.path)", sourceLocation: location)
            }
        default: break
        }
    }
    let targets = plan.mounts.filter(isMount).map(\.path)
    #expect(Set(targets).count == targets.count, "two things at one place", sourceLocation: location)
}

private func isMount(_ step: MountStep) -> Bool {
    switch step {
    case .bind, .tmpfs, .proc, .devpts: true
    default: false
    }
}

private func shows(_ grant: MountStep, _ step: MountStep) -> Bool {
    guard case .bind(let grant) = grant, case .bind(let bind) = step else { return false }
    return grant.source == grant.target && bind.source == bind.target
}

private func expectAttributes(_ plan: LaunchPlan, _ profile: Profile, _ location: SourceLocation) {
    for bind in plan.binds {
        #expect(bind.attributes.contains(.noSetuid), "\(bind.target)", sourceLocation: location)
        #expect(
            bind.attributes.contains(.noDevices) == (bind.purpose != .device), "\(bind.target)",
            sourceLocation: location)
        let isWritable =
            bind.purpose == .write || bind.purpose == .data
            || bind.purpose == .workspace && profile.filesystem.workspace == .readWrite
        #expect(bind.attributes.contains(.readOnly) == !isWritable, "\(bind.target)", sourceLocation: location)
        if isWritable {
            #expect(
                bind.attributes.contains(.noExec) == !profile.filesystem.executeWritable, "\(bind.target)",
                sourceLocation: location)
        }
        if bind.purpose == .device {
            #expect(bind.attributes.contains(.noExec), "\(bind.target)", sourceLocation: location)
        }
    }
    for tmpfs in plan.tmpfs {
        #expect(tmpfs.attributes.contains([.noSetuid, .noDevices]), sourceLocation: location)
        #expect(
            tmpfs.attributes.contains(.noExec) == !profile.filesystem.executeWritable, "\(tmpfs.target)",
            sourceLocation: location)
        #expect(tmpfs.size > 0 && tmpfs.inodes >= 1024, sourceLocation: location)
    }
}

/// Below a directory of the host's no directory, file or symlink is made: it would be made on the host.
private func expectNothingMadeOnTheHost(_ plan: LaunchPlan, _ location: SourceLocation) {
    var hostDirectories: Set<String> = []
    var made: Set<String> = ["/"]
    var pinned: Set<String> = []
    for step in plan.mounts {
        let isOnHost = directories(above: step.path).contains { hostDirectories.contains($0) }
        switch step {
        case .directory, .file, .script, .symlink, .socket, .canary, .trust(_, _, covers: false):
            #expect(!isOnHost, "\(step.path)", sourceLocation: location)
            #expect(
                made.contains(step.path.parentPath), "nothing is at \(step.path.parentPath)", sourceLocation: location)
            made.insert(step.path)
        case .bind(let bind):
            if bind.makesTarget { #expect(!isOnHost, "\(step.path)", sourceLocation: location) }
            #expect(
                isOnHost || bind.makesTarget || made.contains(bind.target), "no place for \(bind.target)",
                sourceLocation: location)
            made.insert(bind.target)
            if bind.isDirectory { hostDirectories.insert(bind.target) }
        case .overlay(let overlay):
            #expect(
                !isOnHost && made.contains(overlay.target), "no place for \(overlay.target)", sourceLocation: location)
            hostDirectories.insert(overlay.target)
        case .pin(let path):
            // Only what the payload could make itself, and once.
            let around = plan.binds.filter { $0.isDirectory && path.isBelow($0.target) }
            let nearest = around.max { $0.target.utf8.count < $1.target.utf8.count }
            #expect(nearest?.attributes.contains(.readOnly) == false, "\(path)", sourceLocation: location)
            #expect(pinned.insert(path).inserted, sourceLocation: location)
        case .tmpfs, .proc, .devpts:
            #expect(made.contains(step.path), "no place for \(step.path)", sourceLocation: location)
        case .trust(_, _, covers: true):
            #expect(isOnHost, sourceLocation: location)
        case .cover:
            #expect(step.path.isBelow("/proc") || step.path == "/etc/resolv.conf", sourceLocation: location)
        }
    }
}

/// Landlock grants writing exactly where a mount is writable.
private func expectWallsAroundWrites(_ plan: LaunchPlan, _ profile: Profile, _ location: SourceLocation) {
    guard let landlock = plan.landlock else { return }
    let writable = Set(
        plan.binds.filter { !$0.attributes.contains(.readOnly) }.map(\.target) + plan.tmpfs.map(\.target)
            + plan.mounts.compactMap { if case .overlay(let overlay) = $0 { overlay.target } else { nil } })
    let granted = Set(landlock.rules.filter { $0.access == .write || $0.access == .all }.map(\.path))
    #expect(granted == writable, sourceLocation: location)
    if !profile.filesystem.executeWritable {
        #expect(!landlock.rules.contains { $0.access == .all }, sourceLocation: location)
        let executable = landlock.rules.filter { $0.access == .execute }.map(\.path)
        for path in executable { #expect(!writable.contains(path), "\(path)", sourceLocation: location) }
    }
    #expect(landlock.rules.filter { $0.path == "/" }.map(\.access) == [.read], sourceLocation: location)
}
