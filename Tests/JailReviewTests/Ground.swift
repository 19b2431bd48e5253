import Foundation
import JailCore
import JailPlan
import TestSupport
import Testing

@testable import JailReview

/// A workspace, and a layer over it as the kernel would have left it.
struct Ground {
    let directory: TemporaryDirectory
    let store: ReviewStore
    var workspace: String { directory.path + "/workspace" }
    var upper: String { "\(directory.path)/changes/\(ReviewPlan.layerName)/\(OverlayPlan.upper)" }

    /// - Parameters:
    ///   - before: a script that fills the workspace, in it.
    ///   - changes: one that fills the layer; `gone NAME` makes what the kernel puts in the place of what was removed.
    init(_ before: String, _ changes: String, opaque: [String] = []) throws {
        directory = try TemporaryDirectory()
        for name in ["workspace", "changes", "changes/layer", "changes/layer/upper"] {
            try System.makeDirectory("\(directory.path)/\(name)", mode: 0o700)
        }
        store = try ReviewStore(directory.path + "/changes")
        try store.takeLock()
        try shell(before, in: workspace)
        try remember()
        try change(changes, opaque: opaque)
    }

    /// What the start of a jail does.
    func remember(size: UInt64 = 1 << 20) throws {
        let tree = SharedDescriptor(try System.open(workspace, [.readOnly, .directory]))
        defer { withExtendedLifetime(tree) {} }
        try store.write(try Manifest.take(of: tree.borrowed, source: workspace, size: size))
    }

    func change(_ script: String, opaque: [String] = []) throws {
        try shell("gone() { mknod \"$1\" c 0 0; }\n" + script, in: upper)
        for name in opaque {
            let directory = try System.open("\(upper)/\(name)", [.readOnly, .directory])
            try System.setAttribute(OverlayMarks.opaque, Array("y".utf8), of: directory.borrowed)
        }
    }

    func shell(_ script: String, in place: String) throws {
        let result = try Program.run("/bin/sh", ["-c", "set -e; umask 022; cd \"$1\"; \(script)", "sh", place])
        #expect(result.status == 0, "\(result.output)")
    }

    func changes() throws -> [Change] {
        let manifest = try #require(try store.manifest())
        let lower = try ReviewStore.open(manifest)
        let upper = try store.upper()
        defer { withExtendedLifetime((lower, upper)) {} }
        return try UpperTree.changes(upper.borrowed, over: lower.borrowed, size: manifest.size)
    }

    /// As people see them: `M a`.
    func listed() throws -> [String] { try changes().map { "\($0.kind.letter) \($0.path.shown)" } }

    func apply(_ paths: [String] = [], all: Bool = true, onStep: @escaping () -> Void = {}) throws {
        var selection = Selection(paths: try paths.map { try FilePath(argument: $0) })
        selection.takesRunnable = all
        let changes = try changes()
        let chosen = try selection.choose(from: changes)
        try selection.refuse(chosen)
        try ReviewWork(store, onStep: onStep).apply(chosen, of: changes, try #require(try store.manifest()))
    }

    func discard(_ paths: [String]) throws {
        let selection = Selection(paths: try paths.map { try FilePath(argument: $0) })
        try ReviewWork(store).discard(try selection.choose(from: try changes()))
    }

    /// Everything in the workspace: names, kinds, permissions, links and content.
    func state() throws -> String {
        let script = """
            cd "$1"; find . -mindepth 1 -printf '%P %y %m %l\\n' | LC_ALL=C sort
            find . -type f | LC_ALL=C sort | while read -r f; do echo "== $f"; cat "$f"; done
            """
        return try Program.run("/bin/sh", ["-c", script, "sh", workspace]).output
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: "\(workspace)/\(name)", encoding: .utf8) }

    func has(_ name: String) -> Bool { (try? System.status("\(workspace)/\(name)")) != nil }
}
