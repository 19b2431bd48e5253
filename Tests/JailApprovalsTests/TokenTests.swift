import JailApprovals
import JailPolicy
import Testing

struct `Tokens` {
    private static let text = AccessToken.text(of: [UInt8](repeating: 0xA5, count: AccessToken.randomCount))

    private static func token(_ name: String, expires: Int64 = 1000, text: String = text) -> AccessToken {
        AccessToken(
            name: name, role: .approver, owner: 7, created: 10, expires: expires, digest: AccessToken.digest(of: text))
    }

    @Test func `a token is 256 bits behind a word that says what it is`() {
        #expect(Self.text == "clawjail_" + String(repeating: "a5", count: 32))
        #expect(AccessToken.isToken(Self.text))
        for wrong in ["", "clawjail_", Self.text + "0", Self.text.uppercased(), String(Self.text.dropLast())] {
            #expect(!AccessToken.isToken(wrong))
        }
        #expect(
            AccessToken.digest(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `a token is found until it has expired, and while it is not revoked`() throws {
        var list = TokenList()
        try list.add(Self.token("phone"))
        #expect(list.find(Self.text, now: 999)?.name == "phone")
        #expect(list.find(Self.text, now: 1000) == nil)
        #expect(list.find(Self.text, now: 9) == nil, "from before it was made: the clock was set")
        #expect(list.find(AccessToken.text(of: [UInt8](repeating: 0, count: 32)), now: 20) == nil)
        #expect(list.find(AccessToken.digest(of: Self.text), now: 20) == nil)
        let (first, second) = (list.revoke("phone"), list.revoke("phone"))
        #expect(first && !second)
        #expect(list.find(Self.text, now: 20) == nil)
    }

    @Test func `the list holds no token, and comes back as it was`() throws {
        var list = TokenList()
        try list.add(Self.token("a"))
        try list.add(Self.token("b.c-d_1", expires: .max))
        let text = String(decoding: list.bytes, as: UTF8.self)
        #expect(!text.contains("a5a5"))
        #expect(TokenList(list.bytes) == list)
        #expect(throws: ValueError.self) { try list.add(Self.token("a")) }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"tokens":[{}]}"#, #"{"tokens":[{"name":"a/b"}]}"#,
        #"{"tokens":[{"name":"a","role":"root","owner":1,"created":1,"expires":2,"sha256":"00"}]}"#,
        #"{"tokens":[{"name":"a","role":"admin","owner":-1,"created":1,"expires":2,"sha256":"00"}]}"#,
        #"{"tokens":[{"name":"a","role":"admin","owner":1,"created":1,"expires":2,"sha256":"00"}]}"#,
    ])
    func `a list that is none is none at all`(_ text: String) { #expect(TokenList(Array(text.utf8)) == nil) }

    @Test func `wrong tokens are heard out five times, and then one every twelve seconds`() {
        var now = ApprovalMoment(monotonic: 0, realtime: 0)
        var guardian = TokenGuard(now)
        func tries() -> Int {
            var count = 0
            while guardian.mayTry(1, now) {
                guardian.tookWrong(1, now)
                count += 1
            }
            return count
        }
        #expect(tries() == 5)
        now.monotonic += 11_000_000_000
        #expect(tries() == 0)
        now.monotonic += 1_000_000_000
        #expect(tries() == 1)
        now.monotonic += 3_600_000_000_000
        #expect(tries() == 5)
    }

    @Test func `wrong tokens of one user keep nobody else's from being heard, and those of many do`() {
        let now = ApprovalMoment(monotonic: 1_000_000_000_000, realtime: 1_700_000_000_000)
        var guardian = TokenGuard(now)
        func tries(_ uid: UInt32) -> Int {
            var count = 0
            while guardian.mayTry(uid, now) {
                guardian.tookWrong(uid, now)
                count += 1
            }
            return count
        }
        #expect(tries(1) == 5)
        #expect((2...9).map(tries) == [5, 5, 5, 0, 0, 0, 0, 0], "all together")
    }
}
