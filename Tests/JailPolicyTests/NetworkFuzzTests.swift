import JailCore
import JailPolicy
import TestSupport
import Testing

/// Mutated seeds for everything that parses what the jail sends. `CLAWJAIL_FUZZ_RUNS` sets the number for each parser.
struct `Fuzzing of hosts and paths` {
    private static let runs = Int(System.environmentValue("CLAWJAIL_FUZZ_RUNS") ?? "") ?? 20_000

    private static let hosts = [
        "example.org", "xn--bcher-kva.example", "a.b.c.d.e", "127.0.0.1", "0x7f.1", "[2001:db8::1]", "[::ffff:1.2.3.4]",
        "1.2.3.4:80",
        "example.org:443", "[fe80::1%25eth0]:1", "user@host:1", "xn--r8jz45g.xn--zckzah", "017700000001", "a-.b",
        "r3---sn.example",
    ]
    private static let paths = [
        "/", "/a/b/../c", "/%2e%2e/x", "/a//b/./c", "/%c3%a9?q=%20", "/a;b", "/a%2fb", "/%252e", "/v1/models/m:x",
        "/@s%40?a/../b#",
        "/bot1:x/*?y", "/\\..\\", "/a|b", "/...",
    ]

    /// Calls the body with mutations of the seeds, and says how many.
    private func fuzz(_ name: String, _ seeds: [String], _ body: ([UInt8]) -> Void) {
        var generator = Seeded(UInt64(name.utf8.count))
        for _ in 0..<Self.runs {
            var bytes = Array(RandomNetwork.pick(seeds, &generator).utf8)
            for _ in 0..<(1 + generator.next() % 4) { mutate(&bytes, seeds, &generator) }
            body(bytes)
        }
        print("fuzzing \(name): \(Self.runs) executions")
    }

    private static let dictionary = [
        "%", "%2e", "%2F", "..", "/", "//", "\\", ";", "?", "#", "@", ":", "[", "]", "xn--", "0x", ".", "-", "\0",
        "\r\n", " ", "*", "**",
        "%c0%af", "%25", "ü", "。", "::", "ffff:", "1.", "%00", "\u{FF0F}",
    ]

    private func mutate(_ bytes: inout [UInt8], _ seeds: [String], _ generator: inout Seeded) {
        let place = bytes.isEmpty ? 0 : Int(generator.next() % UInt64(bytes.count))
        switch generator.next() % 7 {
        case 0 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8(generator.next() % 8)
        case 1 where !bytes.isEmpty: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.insert(contentsOf: Array(RandomNetwork.pick(Self.dictionary, &generator).utf8), at: place)
        case 4: bytes.insert(contentsOf: bytes, at: place)
        case 5: bytes.replaceSubrange(place..., with: Array(RandomNetwork.pick(seeds, &generator).utf8))
        default: if !bytes.isEmpty { bytes.remove(at: place) }
        }
        if bytes.count > 2000 { bytes.removeSubrange(2000...) }
    }

    @Test func `a host name that is taken is its own form`() {
        fuzz("host names", Self.hosts) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = HostName(user: text)
            _ = Host.reason(refusing: text)
            _ = try? HostPattern.parse(text)
            _ = AddressRange(text)
            guard let name = HostName(wire: bytes) else { return }
            #expect(HostName(wire: name.text.utf8) == name)
            #expect(HostName(user: name.text) == name)
            #expect(
                name.text.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
                })
            // No client takes it for an address.
            #expect(IPAddress(anySpelling: name.text) == nil)
        }
    }

    @Test func `an authority that is taken is its own form`() {
        fuzz("authorities", Self.hosts) { bytes in
            guard let authority = Authority(wire: bytes) else { return }
            #expect(Authority(wire: Array(authority.description.utf8)) == authority)
            #expect(Host(wire: Array(authority.host.urlText.utf8)) == authority.host)
            if case .address(let address) = authority.host {
                #expect(IPAddress(address.description) == address)
                #expect(IPAddress(anySpelling: address.description) == address)
            }
        }
    }

    @Test func `a path that is taken is its own form`() throws {
        let policy = try policy(
            "allow: [{ hosts: ['a'], paths: ['/a/**', '/v1/*'] }], deny: [{ hosts: ['a'], paths: ['/a/*/c'] }]")
        var asked = try question("GET https://a/")
        fuzz("paths", Self.paths) { bytes in
            guard let path = CanonicalPath(target: bytes) else { return }
            #expect(CanonicalPath(target: path.target) == path)
            let segments = path.path.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
            #expect(!segments.contains { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
            #expect(path.target.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            #expect(!path.path.utf8.contains { "\\;#?".utf8.contains($0) })
            // The pattern of a path is that path.
            let pattern = PathPattern(matching: path)
            if pattern.text.utf8.count <= 4096 { #expect(PathPattern(pattern.text)?.matches(path) == true) }
            asked.path = path
            _ = policy.decide(asked)
        }
    }

    @Test func `a pattern that is taken is its own form`() {
        fuzz("path patterns", Self.paths + ["/a/**/b", "/*/x", "/\\*"]) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self), let pattern = PathPattern(text) else { return }
            #expect(PathPattern(pattern.text) == pattern)
        }
    }
}
