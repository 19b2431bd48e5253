import Foundation
import JailCore
import TestSupport
import Testing

@testable import JailData

/// Helpers are forked, which only a process with one thread may do: each test has one of its own.
@Suite(.needs("tar", "zstd", "sha256sum")) struct StoreTests {
    /// A tree, and a store of its snapshots.
    struct Ground {
        let directory: TemporaryDirectory
        let store: SnapshotStore
        var tree: String { directory.path + "/data" }

        init() throws {
            directory = try TemporaryDirectory()
            for name in ["data", "snapshots"] { try System.makeDirectory("\(directory.path)/\(name)", mode: 0o700) }
            if System.effectiveUserID == 0 {
                try System.changeMode(directory.path, 0o755)
                try System.changeOwner("\(directory.path)/data", uid: 12345, gid: 12345)
            }
            store = try SnapshotStore(directory.path + "/snapshots", of: "a")
            try store.takeLock()
        }

        func make() throws -> SnapshotManifest {
            let tree = SharedDescriptor(try System.open(self.tree, [.readOnly, .directory]))
            defer { withExtendedLifetime(tree) {} }
            return try store.make(of: tree.borrowed, path: self.tree, profile: nil) { SnapshotStore.Rest() }
        }

        func restore(_ snapshot: SnapshotManifest) throws -> SnapshotManifest? {
            let place = try Replacement(tree)
            let present = SharedDescriptor(try System.open(tree, [.readOnly, .directory]))
            let owner = try DataOwner(of: present.borrowed, path: tree)
            return try store.restore(
                snapshot, to: place, .directory(of: owner, in: place.directory), of: owner, present: present,
                path: tree)
        }

        func write(_ text: String, _ name: String = "file") throws {
            try text.write(toFile: "\(tree)/\(name)", atomically: false, encoding: .utf8)
            if System.effectiveUserID == 0 { try System.changeOwner("\(tree)/\(name)", uid: 12345, gid: 12345) }
        }

        func read(_ name: String = "file") throws -> String {
            try String(contentsOfFile: "\(tree)/\(name)", encoding: .utf8)
        }

        var snapshots: String { directory.path + "/snapshots" }
        var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: snapshots).sorted() } }
    }

    @Test func `what is restored is what was saved, and what was there is saved first`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write("one")
            let first = try ground.make()
            #expect(first.isConsistent)
            try ground.write("two")
            try ground.write("more", "more")
            let saved = try #require(try ground.restore(first))
            #expect(try ground.read() == "one")
            #expect(!FileManager.default.fileExists(atPath: ground.tree + "/more"))
            _ = try ground.restore(saved)
            #expect(try ground.read() == "two" && ground.read("more") == "more")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: ground.directory.path).sorted() == [
                    "data", "snapshots",
                ])
        }
    }

    @Test func `a changed, a cut off and a missing archive are found, and are not restored`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write("one")
            let made = try ground.make()
            let path = "\(ground.snapshots)/\(made.archiveName)"
            let good = try Data(contentsOf: URL(fileURLWithPath: path))
            _ = try ground.store.open(made, as: .reader)
            var changed = good
            changed[good.count / 2] ^= 1
            for (bytes, word) in [(changed, "SHA-256"), (good.dropLast(), "bytes"), (good + [0], "bytes")] {
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let error = failure { () throws(JailError) in _ = try ground.store.open(made, as: .reader) }
                #expect(error?.reason.contains(word) == true)
                #expect(throws: JailError.self) { try ground.restore(made) }
            }
            unsafe unlink(path)
            #expect(failure { () throws(JailError) in _ = try ground.store.open(made, as: .reader) } != nil)
            #expect(throws: JailError.self) { try ground.restore(made) }
            #expect(try ground.read() == "one")
        }
    }

    @Test func `more than the manifest says is cut off, and the present state stays`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write(String(repeating: "x", count: 1 << 20))
            var made = try ground.make()
            made.count = 10240
            try ground.write("now")
            #expect(throws: JailError.self) { try ground.restore(made) }
            made.count = 1 << 30
            #expect(throws: JailError.self) { try ground.restore(made) }
            #expect(try ground.read() == "now")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: ground.directory.path).sorted() == [
                    "data", "snapshots",
                ])
        }
    }

    @Test func `what somebody who was killed has left goes with the next lock`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write("one")
            let made = try ground.make()
            for name in ["20200101T000000Z.tar.zst", "20200101T000000Z.tar.zst.new", "20200102T000000Z.json.new"] {
                try "half".write(toFile: "\(ground.snapshots)/\(name)", atomically: false, encoding: .utf8)
            }
            #expect(throws: JailError.self) { try SnapshotStore(ground.snapshots, of: "a").takeLock() }
            try ground.store.takeLockAnew()
            #expect(try ground.names == [made.fileName, made.archiveName, "lock"].sorted())
        }
    }

    @Test(.needsRoot) func `as root, files are read and written as their owner, who reaches nothing else`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write("one")
            unsafe symlink("/etc/shadow", "\(ground.tree)/link")
            try System.changeMode("\(ground.tree)/file", 0)
            try ground.write("kept", "setuid")
            try System.changeMode("\(ground.tree)/setuid", 0o4755)
            let made = try ground.make()
            _ = try ground.restore(made)
            let file = try System.status("\(ground.tree)/file")
            #expect(file.uid == 12345 && file.gid == 12345 && file.permissions == 0)
            #expect(try System.status("\(ground.tree)/setuid").permissions == 0o755)
            #expect(try System.readLink("\(ground.tree)/link") == "/etc/shadow")
            // Root's file is no file of the jail's: it cannot be read by whoever has its data's rights.
            try "secret".write(toFile: "\(ground.tree)/roots", atomically: false, encoding: .utf8)
            try System.changeMode("\(ground.tree)/roots", 0o600)
            #expect(throws: JailError.self) { try ground.make() }
            #expect(try ground.names.filter { $0.hasSuffix(".new") } == [])
        }
    }

    @Test func `an archive with other names than its own tree's reaches nothing outside`() async {
        await #expect(processExitsWith: .success) {
            let ground = try Ground()
            try ground.write("one")
            var made = try ground.make()
            let outside = ground.directory.path + "/outside"
            try System.makeDirectory(outside, mode: 0o777)
            try System.changeMode(outside, 0o777)
            // A link, and a file through it; and a name with dots.
            let script = """
                import io, tarfile
                with tarfile.open('\(ground.directory.path)/evil.tar', 'w') as t:
                    l = tarfile.TarInfo('x'); l.type = tarfile.SYMTYPE; l.linkname = '\(outside)'; t.addfile(l)
                    for name in ['x/file', '../outside/dots', '/\(outside)/whole']:
                        f = tarfile.TarInfo(name); f.size = 4; t.addfile(f, io.BytesIO(b'evil'))
                """
            let python = try #require(Program.path(of: "python3"))
            #expect(try Program.run(python, ["-c", script]).status == 0)
            let plain = try Data(contentsOf: URL(fileURLWithPath: ground.directory.path + "/evil.tar"))
            let archive = "\(ground.snapshots)/\(made.archiveName)"
            let tool = try #require(Tool.zstd.path)
            #expect(
                try Program.run(tool, ["-q", "-f", ground.directory.path + "/evil.tar", "-o", archive]).status == 0)
            made.count = UInt64(plain.count)
            made.size = try System.status(archive).size
            let sum = try Program.run("/usr/bin/sha256sum", [archive]).output
            made.checksum = String(sum.prefix(64))
            let refusal = #expect(throws: JailError.self) { try ground.restore(made) }
            // It is tar itself that has seen it, and not what is looked at before.
            #expect(refusal?.operation == "tar", "\(refusal?.description ?? "")")
            #expect(try ground.read() == "one")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
        }
    }
}

extension SnapshotStore {
    /// As another process would, once this one is gone.
    fileprivate func takeLockAnew() throws(JailError) {
        releaseLock()
        try takeLock()
    }
}
