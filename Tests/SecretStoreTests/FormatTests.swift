import JailCore
import TestSupport
import Testing

@testable import SecretStore

/// What lies on a disk is hostile: no byte of it can be other than it was sealed.
@Suite struct FormatTests {
    private let key: StoreKey
    private let header: SecretHeader

    init() throws {
        key = try StoreKey(try SecretBytes.random(count: StoreKey.size), from: .file("key"))
        header = SecretHeader(
            name: "github", key: key.id, generation: try System.randomBytes(16), created: 1_700_000_000,
            rotated: 1_800_000_000, graceEnd: 1_800_000_600)
    }

    private func sealed(_ current: String = "new value", before: String = "old value") throws -> [UInt8] {
        try SealedSecret.seal(
            header, current: try secret(current), previous: KeptSecret(try secret(before)), with: key)
    }

    private func failure(_ file: [UInt8], named name: String = "github", _ key: StoreKey? = nil) -> SealedFailure? {
        do throws(SealedFailure) {
            _ = try SealedSecret.open(file, named: name, with: key ?? self.key)
            return nil
        } catch { return error }
    }

    @Test func `what is sealed can be opened`() throws {
        let opened = try SealedSecret.open(try sealed(), named: "github", with: key)
        #expect(opened.header == header)
        #expect(text(opened.current) == "new value")
        #expect(text(opened.previous(at: 1_800_000_599)) == "old value")
        #expect(opened.previous(at: 1_800_000_600) == nil)
        #expect(opened.length == .upTo32)
    }

    @Test func `any changed bit is found`() throws {
        let file = try sealed()
        for index in file.indices {
            for bit in 0..<8 {
                var changed = file
                changed[index] ^= 1 << UInt8(bit)
                #expect(failure(changed) != nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func `a file that is cut off or goes on is none`() throws {
        let file = try sealed()
        for count in 0..<file.count { #expect(failure(Array(file.prefix(count))) == .cutOff, "\(count) bytes") }
        #expect(failure(file + [0]) == .tooLong)
        #expect(failure(file + file) == .tooLong)
    }

    @Test func `another name, another key and another format say so`() throws {
        let file = try sealed()
        #expect(failure(file, named: "gitlab") == .otherName("github"))
        let other = try StoreKey(try SecretBytes.random(count: StoreKey.size), from: .keyring)
        #expect(failure(file, other) == .otherKey(key.id))
        var newer = file
        newer[16] = 2
        #expect(failure(newer) == .version(2))
        #expect(failure(Array("{\"password\": \"in the clear\"}".utf8)) == .notASecret)
    }

    @Test func `a name that was written over is found`() throws {
        var file = try sealed()
        file.replaceSubrange(18..<24, with: "gitlab".utf8)
        #expect(failure(file, named: "gitlab") == .changed)
    }

    @Test func `values cannot change places, nor come from another file`() throws {
        let one = try sealed()
        let start = header.bytes.count
        let half = (one.count - start) / 2
        let swapped = Array(one[..<start] + one[(start + half)...] + one[start..<(start + half)])
        #expect(failure(swapped) == .changed)
        let twice = Array(one[..<(start + half)] + one[start..<(start + half)])
        #expect(failure(twice) == .changed)
        // The same secret, written in the same second.
        let again = SecretHeader(
            name: header.name, key: key.id, generation: try System.randomBytes(16), created: header.created,
            rotated: header.rotated, graceEnd: header.graceEnd)
        let other = try SealedSecret.seal(
            again, current: try secret("an older one"), previous: KeptSecret(try secret("oldest")), with: key)
        #expect(failure(Array(one[..<start] + other[start...])) == .changed)
    }

    @Test func `the value before cannot be left out`() throws {
        let file = try sealed()
        let half = (file.count - header.bytes.count) / 2
        #expect(failure(Array(file.dropLast(half))) == .cutOff)
        // Nor by a header that has no end for it.
        var without = Array(file.dropLast(half))
        without.replaceSubrange((header.bytes.count - 8)..<header.bytes.count, with: [UInt8](repeating: 0, count: 8))
        #expect(failure(without) == .changed)
    }

    @Test func `a file tells of the length no more than its class`() throws {
        let sizes = try Set((33...64).map { try sealed(String(repeating: "x", count: $0)).count })
        #expect(sizes.count == 1)
        #expect(try sealed(String(repeating: "x", count: 65)).count > sizes.first ?? .max)
    }

    @Test(arguments: [1, 31, 32, 33, 1024, 1025, 65535, 65536]) func `values of every length come back`(
        length: Int
    ) throws {
        let value = try System.randomBytes(length)
        let header = SecretHeader(
            name: "a", key: key.id, generation: try System.randomBytes(16), created: 1_700_000_000)
        let file = try SealedSecret.seal(
            header, current: try SecretBytes(copying: value), previous: nil, with: key)
        #expect(file.count <= SealedSecret.mostBytes)
        let opened = try SealedSecret.open(file, named: "a", with: key)
        #expect(opened.current.bytes.isSame(as: try SecretBytes(copying: value)))
        #expect(opened.previous(at: 0) == nil)
    }

    @Test func `an empty value and one that is too long are not sealed`() throws {
        for length in [0, 65537] {
            #expect(
                errno { () throws(SystemError) in
                    let header = SecretHeader(
                        name: "a", key: key.id, generation: try System.randomBytes(16), created: 1)
                    _ = try SealedSecret.seal(header, current: try SecretBytes(count: length), previous: nil, with: key)
                } == .invalid)
        }
    }

    @Test func `two files of the same secret have no value in common`() throws {
        let start = header.bytes.count
        #expect(try sealed()[start...] != sealed()[start...])
    }

    @Test func `any bytes at all are refused, and nothing worse`() throws {
        var random = Seeded(8)
        let file = try sealed()
        for _ in 0..<4000 {
            var bytes = file
            switch random.next() % 4 {
            case 0: bytes = (0..<Int(random.next() % 400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            case 1: bytes.removeSubrange(0..<Int(random.next() % UInt64(bytes.count)))
            case 2:
                let place = Int(random.next() % UInt64(bytes.count))
                bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            default:
                // A beginning that is right, and whatever after it.
                let count = Int(random.next() % UInt64(bytes.count))
                bytes = bytes.prefix(count) + (0..<Int(random.next() % 300)).map { _ in 0xFF }
            }
            if bytes != file { #expect(failure(bytes) != nil) }
        }
    }
}
