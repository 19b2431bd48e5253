import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct HostTreeTests {
    @Test func `a chain of symlinks is followed and remembered in order`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("real/file")
        try directory.symlink("real/third", to: "file")
        try directory.symlink("second", to: "./real//third")
        try directory.symlink("real/up", to: "../second")
        try directory.symlink("first", to: directory.path + "/real/up")
        var tree = HostTree()
        let resolved = try #require(try tree.resolve(directory.path + "/first"))
        #expect(resolved.path == file)
        let names = ["/first", "/real/up", "/second", "/real/third"].map { directory.path + $0 }
        #expect(resolved.symlinks.map(\.path) == names)
        #expect(resolved.symlinks.last == VisibleSymlink(path: names[3], target: "file"))
    }

    @Test func `a symlinked directory is recorded under its canonical path`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("a/b/file")
        try directory.symlink("link", to: "a")
        try directory.symlink("a/inner", to: "b")
        var tree = HostTree()
        let resolved = try #require(try tree.resolve(directory.path + "/link/inner/file"))
        #expect(resolved.path == directory.path + "/a/b/file")
        #expect(resolved.symlinks.map(\.path) == [directory.path + "/link", directory.path + "/a/inner"])
    }

    @Test func `a loop is an error that names it`() throws {
        let directory = try TemporaryDirectory()
        try directory.symlink("a", to: "b")
        try directory.symlink("b", to: "a")
        let error = failure { () throws(JailError) in
            var tree = HostTree()
            _ = try tree.resolve(directory.path + "/a")
        }
        #expect(error?.description.contains("in a circle") == true)
        try directory.symlink("deep", to: directory.path + "/deep/deep")
        var tree = HostTree()
        #expect(throws: JailError.self) { _ = try tree.resolve(directory.path + "/deep") }
    }

    @Test func `what leads nowhere is nothing`() throws {
        let directory = try TemporaryDirectory()
        try directory.symlink("dangling", to: "nowhere")
        try directory.file("file")
        var tree = HostTree()
        #expect(try tree.resolve(directory.path + "/dangling") == nil)
        #expect(try tree.resolve(directory.path + "/file/below") == nil)
        #expect(try tree.resolve(directory.path + "/../../../..")?.path == "/")
        #expect(try tree.resolve("/")?.path == "/")
    }

    @Test(arguments: [
        ("/a", true), ("/", true), ("/a/b.c/..d", true), ("a", false), ("", false), ("/a/", false), ("/a//b", false),
        ("/a/./b", false), ("/a/..", false), ("/a\0b", false),
    ])
    func `only paths written in their one way are canonical`(path: String, isCanonical: Bool) {
        #expect(Paths.isCanonicalText(path) == isCanonical)
    }

    @Test func `one path is within another by components, not by letters`() {
        #expect("/a/b".isInside("/a"))
        #expect("/a".isInside("/a"))
        #expect("/a".isInside("/"))
        #expect(!"/ab".isInside("/a"))
        #expect(!"/a".isInside("/a/b"))
        #expect(Paths.parent("/a/b") == "/a")
        #expect(Paths.parent("/a") == "/")
        #expect(Paths.lastComponent("/a/b") == "b")
    }
}
