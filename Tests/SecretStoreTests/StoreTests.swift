import Glibc
import JailCore
import TestSupport
import Testing

@testable import SecretStore

@Suite struct StoreTests {
    private let place: Place

    init() throws { place = try Place() }

    @Test func `a secret that is set is there, for its owner alone`() throws {
        try place.store().add("github", try secret("s3cr3t"), change)
        let opened = try place.reader().open("github")
        #expect(text(opened.current) == "s3cr3t")
        #expect(opened.header.created == change.time)
        #expect(opened.header.rotated == nil)
        for name in ["github.sealed", "key", "history.jsonl", "lock"] {
            #expect(try System.status("\(place.path)/\(name)").permissions == 0o600, "\(name)")
        }
        #expect(try System.status(place.path).permissions == 0o700)
        #expect(try place.directory.names("secrets") == ["github.sealed", "history.jsonl", "key", "lock"])
    }

    @Test func `no file holds a value`() throws {
        let store = try place.store()
        try store.add("one", try secret("Zq8vT3nW5yB1"), change)
        try store.rotate("one", to: try secret("kD7mP9rS2uX4"), grace: 60, change)
        for name in try place.directory.names("secrets") {
            let bytes = try place.bytes(name)
            for value in ["Zq8vT3nW5yB1", "kD7mP9rS2uX4"] {
                #expect(bytes.firstRange(of: Array(value.utf8)) == nil, "\(name)")
            }
        }
    }

    @Test func `what is there is not set again`() throws {
        let store = try place.store()
        try store.add("a", try secret("1"), change)
        let value = try secret("2")
        let error = failure { () throws(JailError) in try store.add("a", value, change) }
        #expect(error?.status == ExitStatus.exists)
        #expect(text(try store.open("a").current) == "1")
    }

    @Test func `a rotated secret has both values until the grace is over`() throws {
        let store = try place.store()
        try store.add("a", try secret("old"), change)
        let later = SecretStore.Change(who: "tester", time: change.time + 100)
        try store.rotate("a", to: try secret("new"), grace: 60, later)
        let values = try place.reader().resolve(["a"], now: later.time + 59)
        #expect(text(values["a"]?.current) == "new")
        #expect(text(values["a"]?.previous?.value) == "old")
        #expect(values["a"]?.previous?.end == later.time + 60)
        #expect(try place.reader().resolve(["a"], now: later.time + 60)["a"]?.previous == nil)
        #expect(try store.open("a").header.created == change.time)
        #expect(try store.open("a").header.rotated == later.time)
        try store.rotate("a", to: try secret("newest"), grace: 0, later)
        #expect(try store.open("a").previous == nil)
    }

    @Test func `a value whose grace is over is taken out of its file`() throws {
        let store = try place.store()
        try store.add("a", try secret("old"), change)
        try store.rotate("a", to: try secret("new"), grace: 60, change)
        let size = try place.bytes("a.sealed").count
        try store.dropOutdated(now: change.time + 59)
        #expect(try place.bytes("a.sealed").count == size)
        try store.dropOutdated(now: change.time + 60)
        #expect(try place.bytes("a.sealed").count < size)
        #expect(text(try place.reader().open("a").current) == "new")
        #expect(try store.open("a").header.rotated == change.time)
    }

    @Test func `rotating to the same value changes nothing`() throws {
        let store = try place.store()
        try store.add("a", try secret("same"), change)
        let before = try place.bytes("a.sealed")
        let value = try secret("same")
        #expect(
            failure { () throws(JailError) in try store.rotate("a", to: value, grace: 60, change) }?.status
                == ExitStatus.exists)
        #expect(try place.bytes("a.sealed") == before)
    }

    @Test func `a removed secret is gone, also one that cannot be opened`() throws {
        let store = try place.store()
        try store.add("a", try secret("1"), change)
        try place.write("a.sealed", [1, 2, 3])
        try store.remove("a", change)
        #expect(try store.names().isEmpty)
        #expect(failure { () throws(JailError) in _ = try store.open("a") }?.status == ExitStatus.notThere)
        #expect(failure { () throws(JailError) in try store.remove("a", change) }?.status == ExitStatus.notThere)
    }

    @Test func `files that have changed places are found`() throws {
        let store = try place.store()
        try store.add("a", try secret("1"), change)
        try store.add("b", try secret("2"), change)
        try System.rename("\(place.path)/a.sealed", to: "\(place.path)/b.sealed")
        let error = failure { () throws(JailError) in _ = try store.open("b") }
        #expect(error?.reason.contains("sealed as 'a'") == true)
    }

    @Test func `a store of another key is an error, and no empty store`() throws {
        try place.store().add("a", try secret("1"), change)
        try place.write("key", try System.randomBytes(32))
        let read = failure { () throws(JailError) in _ = try place.reader().open("a") }
        #expect(read?.reason.contains("another key") == true)
        #expect(read?.hint?.contains("key'") == true)
        let value = try secret("2")
        let store = try place.store()
        let added = failure { () throws(JailError) in try store.add("b", value, change) }
        #expect(added?.reason.contains("another key") == true)
        #expect(try store.names() == ["a"])
    }

    @Test func `where the key is gone no other one is made`() throws {
        try place.store().add("a", try secret("1"), change)
        try System.unlink("\(place.path)/key")
        let value = try secret("2")
        let store = try place.store()
        for error in [
            failure { () throws(JailError) in _ = try place.reader().open("a") },
            failure { () throws(JailError) in try store.add("b", value, change) },
        ] { #expect(error?.reason.contains("no key") == true) }
        #expect(!(try place.directory.names("secrets")).contains("key"))
    }

    @Test func `whoever only reads makes no key`() throws {
        let store = try place.reader()
        #expect(failure { () throws(JailError) in _ = try store.key() } != nil)
        #expect(try place.directory.names("secrets").isEmpty)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o666] as [UInt32])
    func `files that others may read or write are not read`(mode: UInt32) throws {
        try place.store().add("a", try secret("1"), change)
        for name in ["a.sealed", "key"] {
            try System.changeMode("\(place.path)/\(name)", mode)
            let error = failure { () throws(JailError) in _ = try place.reader().open("a") }
            #expect(error?.reason.contains("others may") == true, "\(name)")
            try System.changeMode("\(place.path)/\(name)", 0o600)
        }
    }

    @Test(.needsRoot) func `files of another user are not read`() throws {
        try place.store().add("a", try secret("1"), change)
        for name in ["a.sealed", "key"] {
            try System.changeOwner("\(place.path)/\(name)", uid: 1, gid: 1)
            let error = failure { () throws(JailError) in _ = try place.reader().open("a") }
            #expect(error?.reason.contains("belongs to uid 1") == true, "\(name)")
            try System.changeOwner("\(place.path)/\(name)", uid: 0, gid: 0)
        }
    }

    @Test func `symlinks, FIFOs, directories and second names are not followed, and hang nobody`() throws {
        try place.store().add("a", try secret("1"), change)
        for name in ["a.sealed", "key"] {
            let path = "\(place.path)/\(name)"
            let aside = "\(place.directory.path)/aside"
            try System.rename(path, to: aside)
            func isRefused() -> Bool {
                failure { () throws(JailError) in _ = try place.reader().open("a") } != nil
            }
            try System.makeSymlink(path, to: aside)
            #expect(isRefused(), "a symlink as \(name)")
            try System.unlink(path)
            #expect(unsafe mkfifo(path, 0o600) == 0)
            #expect(isRefused(), "a FIFO as \(name)")
            try System.unlink(path)
            try System.makeDirectory(path, mode: 0o700)
            #expect(isRefused(), "a directory as \(name)")
            try System.unlink(path, isDirectory: true)
            #expect(unsafe link(aside, path) == 0)
            #expect(isRefused(), "a second name of \(name)")
            try System.unlink(aside)
        }
        #expect(text(try place.reader().open("a").current) == "1")
    }

    @Test func `a directory that others may enter is no store`() throws {
        _ = try place.store()
        try System.changeMode(place.path, 0o750)
        #expect(failure { () throws(JailError) in _ = try place.reader() }?.reason.contains("0700") == true)
    }

    @Test func `two do not change the store at once`() throws {
        let store = try place.store()
        let error = failure { () throws(JailError) in try place.reader().takeLock() }
        #expect(error?.status == ExitStatus.exists)
        withExtendedLifetime(store) {}
        // Nor does anybody without the lock.
        let value = try secret("1")
        let reader = try place.reader()
        #expect(failure { () throws(JailError) in try reader.add("a", value, change) } != nil)
    }

    @Test func `what was not brought to an end is removed`() throws {
        try place.store().add("a", try secret("1"), change)
        try place.write(".a.sealed", [1])
        try place.write(".key", [1])
        #expect(try place.store().names() == ["a"])
        #expect(try place.directory.names("secrets") == ["a.sealed", "history.jsonl", "key", "lock"])
    }

    @Test func `each change is written down by name, time and person`() throws {
        let store = try place.store()
        try store.add("a", try secret("first"), change)
        try store.rotate("a", to: try secret("second"), grace: 60, change)
        try store.add("b", try secret("third"), change, what: "generate")
        try store.remove("a", change)
        #expect(
            try place.directory.read("secrets/history.jsonl") == """
                {"time":"2027-01-15T08:00:00Z","what":"set","name":"a","who":"tester"}
                {"time":"2027-01-15T08:00:00Z","what":"rotate","name":"a","who":"tester","graceSeconds":60}
                {"time":"2027-01-15T08:00:00Z","what":"generate","name":"b","who":"tester"}
                {"time":"2027-01-15T08:00:00Z","what":"remove","name":"a","who":"tester"}

                """)
    }

    @Test func `what cannot be written down is not changed`() throws {
        let store = try place.store()
        try System.makeDirectory("\(place.path)/history.jsonl", mode: 0o700)
        let value = try secret("1")
        #expect(failure { () throws(JailError) in try store.add("a", value, change) } != nil)
        #expect(try store.names().isEmpty)
    }

    @Test func `names of other files are nobody's secrets`() throws {
        let store = try place.store()
        try store.add("a", try secret("1"), change)
        for name in ["B.sealed", ".sealed", "-x.sealed", "c.txt"] { try place.write(name, [1]) }
        #expect(try store.names() == ["a"])
    }
}
