import JailCore
import TestSupport
import Testing

@testable import SecretStore

@Suite struct KeyTests {
    private var place: Place
    private let credentials: TemporaryDirectory

    init() throws {
        place = try Place()
        credentials = try TemporaryDirectory()
        try System.changeMode(credentials.path, 0o500)
    }

    private func put(_ bytes: [UInt8], mode: UInt32 = 0o400) throws {
        try System.changeMode(credentials.path, 0o700)
        let path = "\(credentials.path)/\(StoreKeyFinder.credentialName)"
        let file = try System.open(path, [.writeOnly, .create, .truncate], mode: 0o600)
        try System.writeAll(file.borrowed, bytes)
        try System.changeMode(path, mode)
        try System.changeMode(credentials.path, 0o500)
    }

    @Test mutating func `a credential comes before the file`() throws {
        try place.store().add("a", try secret("1"), change)
        place.finder.credentials = credentials.path
        // It is not there: the file counts.
        #expect(try place.reader().key().origin == .file("\(place.path)/key"))
        try put(try System.randomBytes(32))
        #expect(try place.reader().key().origin.kind == "credential")
        let error = failure { () throws(JailError) in _ = try place.reader().open("a") }
        #expect(error?.hint?.contains("credential") == true)
    }

    @Test mutating func `a store can be sealed with a credential alone`() throws {
        place.finder.credentials = credentials.path
        try put(try System.randomBytes(32))
        try place.store().add("a", try secret("1"), change)
        #expect(!(try place.directory.names("secrets")).contains("key"))
        #expect(text(try place.reader().open("a").current) == "1")
    }

    @Test(arguments: [0, 1, 31, 33, 64]) mutating func `a key of another length is none`(count: Int) throws {
        place.finder.credentials = credentials.path
        try put([UInt8](repeating: 1, count: count))
        #expect(failure { () throws(JailError) in _ = try place.reader().key() } != nil)
        place.finder.credentials = nil
        _ = try place.store()
        try place.write("key", [UInt8](repeating: 1, count: count))
        #expect(failure { () throws(JailError) in _ = try place.reader().key() } != nil)
    }

    @Test mutating func `a credential that others may read or write is refused`() throws {
        place.finder.credentials = credentials.path
        for mode: UInt32 in [0o404, 0o420, 0o402] {
            try put(try System.randomBytes(32), mode: mode)
            #expect(failure { () throws(JailError) in _ = try place.reader().key() } != nil)
        }
    }

    @Test mutating func `a key that the keyring should have, and has not, is an error`() throws {
        place.finder.wantsKeyring = true
        let error = failure { () throws(JailError) in _ = try place.store().key() }
        #expect(error?.operation == "keyctl(clawjail:secrets)")
        #expect(!(try place.directory.names("secrets")).contains("key"))
    }

    @Test func `ids of keys are equal where the keys are`() throws {
        let bytes = try SecretBytes.random(count: 32)
        let one = try StoreKey(bytes, from: .keyring)
        #expect(try one.id == StoreKey(bytes, from: .file("x")).id)
        #expect(try one.id != StoreKey(try SecretBytes.random(count: 32), from: .keyring).id)
        #expect(one.id.description.utf8.count == 16)
    }
}
