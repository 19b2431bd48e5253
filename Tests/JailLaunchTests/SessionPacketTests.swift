import JailCore
import JailPlan
import Testing

@testable import JailLaunch

struct `Packets about sessions` {
    static var create: SessionRequest.Create {
        var create = SessionRequest.Create(id: "chat-1")
        create.workspace = "/data/a:/workspace"
        create.agent = "/data/b:/agent:ro"
        create.readOnly = ["/data/c:/workspace/c", "/data/d:/agent/d"]
        create.memory = "1M"
        create.processes = "3"
        create.cpus = "0.5"
        create.labels = ["a=b", "c=", "d=e=f"]
        create.secrets = ["github", "x.y"]
        return create
    }

    static let requests: [SessionRequest] = [.create(create), .create(.init(id: "x")), .open(id: "x"), .list]

    @Test(arguments: requests) func `a request is read as it was written`(request: SessionRequest) throws {
        #expect(SessionRequest(bytes: try #require(request.bytes)) == request)
    }

    @Test(arguments: [
        "", "\0", "list", "list\0\0", "list\0x=1\0", "list\0id\0", "list\0=1\0", "LIST\0", "open\0", "open\0id\0",
        "open\0id=a\0id=a\0", "open\0id=a\0memory=1M\0", "open\0id=a", "create\0", "create\0workspace=/a\0",
        "create\0id=a\0id=b\0", "create\0id=a\0memory=1M\0memory=2M\0", "create\0id=a\0profile=shell\0",
        "create\0id=a\0user=root\0", "create\0id=a\0env=A=b\0", "create\0id=a\0publish=80\0", "exec\0id=a\0",
        "remove\0id=a\0", "make\0number=1\0id=a\0", " list\0",
    ])
    func `nothing else is a request`(text: String) {
        #expect(SessionRequest(bytes: Array(text.utf8)) == nil)
    }

    @Test func `bytes that are no text are no request`() {
        #expect(SessionRequest(bytes: Array("open\0id=".utf8) + [0xFF, 0]) == nil)
        #expect(SessionRequest(bytes: Array("open\0id=".utf8) + [0xC0, 0x80, 0]) == nil)
        #expect(SessionRequest.open(id: "a\0b").bytes == nil)
    }

    @Test func `a packet has a bound`() {
        var create = SessionRequest.Create(id: "x")
        create.labels = [String(repeating: "x", count: SessionFields.sizeLimit)]
        #expect(SessionRequest.create(create).bytes == nil)
        create.labels = [String](repeating: "", count: SessionFields.mostFields)
        #expect(SessionRequest.create(create).bytes == nil)
        #expect(SessionRequest(bytes: [UInt8](repeating: 0x61, count: SessionFields.sizeLimit) + [0]) == nil)
        let many = Array("create\0id=a\0".utf8) + (0..<2000).flatMap { _ in Array("ro=\0".utf8) }
        #expect(SessionRequest(bytes: many) == nil)
    }

    @Test func `a reply is read as it was written`() throws {
        for reply in [
            SessionReply(status: 0), SessionReply(status: 123, text: "no; to allow it: x=y"),
            SessionReply(status: 0, ids: ["a", "b"]),
        ] {
            #expect(SessionReply(bytes: try #require(reply.bytes)) == reply)
        }
        for text in ["", "x\0", "256\0", "-1\0", "0\0what=x\0", "0\0text=a\0text=b\0"] {
            #expect(SessionReply(bytes: Array(text.utf8)) == nil)
        }
        let all = SessionReply(status: 0, ids: (0..<256).map { "\($0)-" + String(repeating: "x", count: 44) })
        #expect(SessionReply(bytes: try #require(all.bytes)) == all)
    }

    @Test func `an order is read as it was written, and nothing else is one`() throws {
        var order = SessionOrder(id: "a")
        order.workspace = .init(target: "/workspace", root: 1, below: "a:b/c", readOnly: false)
        order.agent = .init(target: "/agent", root: 0, below: "", readOnly: true)
        order.readOnly = [.init(target: "/workspace/x", root: 2, below: "x", readOnly: true)]
        order.memory = 1 << 40
        order.milliCPUs = 500
        order.labels = [.init(name: "k", value: "v=w"), .init(name: "e", value: "")]
        order.secrets = ["github", "x.y"]
        let bytes = try #require(order.bytes(number: 7))
        let read = try #require(SessionOrder.read(bytes))
        #expect(read.number == 7 && read.order == order)
        for text in [
            "", "make\0", "make\0number=1\0", "make\0id=a\0", "make\0number=-1\0id=a\0", "make\0number=1\0id=a\0x=y\0",
            "make\0number=1\0id=a\0workspace=0:rw:/workspace\0", "make\0number=1\0id=a\0workspace=x:rw:/workspace:\0",
            "make\0number=1\0id=a\0workspace=0:wr:/workspace:\0", "make\0number=1\0id=a\0memory=much\0",
            "make\0number=01\0id=a\0", "make\0number=1\0id=a\0secret=x\0label=a=b\0",
            "make\0number=1\0id=a\0memory=+1\0", "make\0id=a\0number=1\0",
        ] {
            #expect(SessionOrder.read(Array(text.utf8)) == nil, "\(text.printable)")
        }
    }

    @Test func `the maker's reports are read as they were written`() throws {
        for report in [
            SessionMakerReport.ready, .failed("x"), .made(7, status: 0, ""), .made(.max, status: 125, "a\\nb"),
        ] {
            #expect(SessionMakerReport(try #require(report.bytes)) == report)
        }
        for text in ["", "ready\0x=1\0", "made\0number=1\0", "made\0number=1\0status=300\0text=\0", "what\0"] {
            #expect(SessionMakerReport(Array(text.utf8)) == nil)
        }
    }

    /// Whatever is read is written again as it was; nothing crashes, whatever it is.
    @Test func `an order with a label that has no name, or is nothing, is none`() {
        for label in ["", "=", "=b", "a"] {
            let bytes = Array("make\0number=1\0id=a\0label=\(label)\0".utf8)
            #expect(SessionOrder.read(bytes) == nil, "\(label)")
        }
    }

    @Test func `random packets are requests in every part, or none`() throws {
        var generator = SystemRandomNumberGenerator()
        let words: [[UInt8]] =
            [
                "create", "open", "list", "make", "id=", "id=a", "workspace=", "agent=", "ro=", "ro=/a:/b", "memory=",
                "label=", "label=a=b", "secret=", "secret=a", "cpus=1", "processes=1", "number=1", "=", "status=1",
                "text=x", "0", "made",
                "ready",
            ].map { Array($0.utf8) } + [[0], [0], [0], [0xFF], [0x3D], [0xC3, 0xA9], [0x0A]]
        let samples = Self.requests.compactMap(\.bytes)
        var read = 0
        for round in 0..<20_000 {
            var bytes: [UInt8] = []
            if round % 2 == 0 {
                for _ in 0..<Int.random(in: 0...24, using: &generator) {
                    bytes += words.randomElement(using: &generator) ?? []
                    if Bool.random(using: &generator) { bytes.append(0) }
                }
            } else {
                bytes = samples.randomElement(using: &generator) ?? []
                for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                    let index = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0...2, using: &generator) {
                    case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.remove(at: index)
                    default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                    }
                }
            }
            _ = SessionOrder.read(bytes)
            _ = SessionReply(bytes: bytes)
            _ = SessionMakerReport(bytes)
            guard let request = SessionRequest(bytes: bytes) else { continue }
            read += 1
            #expect(SessionRequest(bytes: try #require(request.bytes)) == request)
        }
        #expect(read > 100)
        print("20000 executions of the request reader, \(read) read")
    }
}

struct `The rate of requests` {
    @Test func `a burst passes, then as many as time brings`() {
        var rate = RequestRate.sessions
        let start = System.monotonicNanoseconds()
        func take(_ now: Int64) -> Bool { rate.take(now: now) }
        for _ in 0..<rate.burst { #expect(take(start)) }
        #expect(!take(start))
        #expect(!take(start + rate.interval / 2))
        #expect(take(start + 2 * rate.interval))
        #expect(take(start + 2 * rate.interval))
        #expect(!take(start + 2 * rate.interval))
        #expect(take(start + 3 * rate.interval))
        #expect(!take(start + 3 * rate.interval))
        // However long nothing came, no more than a burst.
        let later = start + 1000 * rate.interval
        for _ in 0..<rate.burst { #expect(take(later)) }
        #expect(!take(later))
    }
}
